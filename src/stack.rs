//! One stack as a value: what is wanted, where, and how to get there.

use crate::aws::{Aws, Connection, Failure};
use crate::kinds::Kinds;
use crate::kinds::swept::Leftover;
use auroraml_core::model;
use auroraml_core::spec::Spec;
use auroraml_core::takeover::{Handover, Order, Retention};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A spec with the account and region that it is about, and the connection there. The three belong together and are
/// made together; nothing else is shared, so that any number of stacks can live in one process.
#[derive(Clone)]
pub struct Stack {
    pub spec: Arc<Spec>,
    pub aws: Arc<Aws>,
    /// The kinds that its resources are of.
    pub kinds: Kinds,
    /// Ids of what a person lets go although the spec says nothing of it.
    pub let_go: BTreeSet<String>,
    /// What the final snapshot is called, where a plan that was reviewed says it; else its name holds the time.
    pub final_snapshot: Option<String>,
    /// Whether a lease tells that the last run did all of what it was to do: nothing of it is still on its way.
    pub is_quiet: bool,
    /// Nobody has the spec: how things go is read from their tags.
    pub from_tags: bool,
    /// What becomes of the CloudFormation stack from which the spec takes objects over.
    pub origin: Origin,
}

/// What becomes of the CloudFormation stack from which the spec takes objects over.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Origin {
    /// As long as it owns them they are tagged and nothing else.
    #[default]
    Heeded,
    /// It hands over in this run.
    Releases(Order),
    /// As if it had handed over already: only for looking.
    Ignored,
}

impl Stack {
    /// Asks who the caller is and makes the clients.
    ///
    /// # Errors
    /// When there are no usable credentials, or STS does not answer.
    pub async fn connect(spec: Spec, connection: Connection) -> Result<Stack, Failure> {
        let aws = Aws::connect(connection, &spec.stack, model::scope(&spec)).await?;
        Ok(Stack::over(spec, aws))
    }

    /// From now on it knows what others made and hangs on it, too: that goes with a destroy.
    pub fn sweep(&mut self) {
        self.kinds = self.kinds.clone().with(&Leftover);
    }

    /// From now on a run has the CloudFormation stack hand over what the spec takes from it.
    pub fn release(&mut self, order: Order) {
        self.kinds = self.kinds.clone().with(&Retention).with(&Handover);
        self.origin = Origin::Releases(order);
    }

    /// A stack in the account and region of a connection that was made for it.
    pub fn over(spec: Spec, aws: Aws) -> Stack {
        Stack {
            spec: Arc::new(spec),
            aws: Arc::new(aws),
            kinds: Kinds::default(),
            let_go: BTreeSet::new(),
            final_snapshot: None,
            is_quiet: false,
            from_tags: false,
            origin: Origin::default(),
        }
    }
}
