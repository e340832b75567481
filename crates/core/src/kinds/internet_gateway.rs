//! Internet gateway, attached to the VPC.

use super::Kind;
use crate::base::Input;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct InternetGateway;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC it is attached to; empty while it is attached to none.
    pub vpc: Input,
    pub tags: BTreeMap<String, String>,
}

impl Kind for InternetGateway {
    const NAME: &'static str = "internet_gateway";
    // A deletion waits for addresses that are mapped, up to the patience for what is in use.
    const RULES: Rules = Rules { appears_late: true, after: &["vpc"], limit_minutes: 65, ..PLAIN };
    type Props = Props;
}
