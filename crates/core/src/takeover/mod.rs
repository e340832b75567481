//! Taking a stack over from CloudFormation: what is known of the stack, what becomes of each of its resources, what
//! stands in the way of the hand-over, and the spec that describes what there is. Pure.
//!
//! (What "adopting" means elsewhere in the code is another thing: finding objects again that an earlier run made.)

mod draft;
mod findings;
mod kinds;
mod origin;
mod release;
mod retain;
mod text;

pub use draft::{Draft, draft};
pub use findings::{Bucket, Cluster, Findings, Group, NatGateway, Notebook, Subnet, Table, VpcEndpoint};
pub use kinds::{Handover, HandoverProps, Retention, RetentionProps};
pub use origin::{Export, Fate, Origin, Part, SecondOwner, fate, object_name, owns, second_owner};
pub use release::{Order, Refusal, refusals, template_bucket, unnamed};
pub use retain::{bytes, is_retained, retaining, torn, without};
pub use text::{Written, written};
