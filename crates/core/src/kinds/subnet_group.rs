//! DB subnet group: the subnets in which the cluster's instances live.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct SubnetGroup;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Subnet ids, sorted.
    pub subnets: Vec<Input>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for SubnetGroup {
    const NAME: &'static str = "subnet_group";
    const RULES: Rules = Rules {
        after: &["subnet"],
        permissions: &[
            Permission::look(&["rds:DescribeDBSubnetGroups"], &["rds:subgrp:{subnet_group}"]),
            Permission::create(&["rds:CreateDBSubnetGroup"], &["rds:subgrp:{subnet_group}"])
                .when(&[When::RequestTag]),
            Permission::look(&["rds:ListTagsForResource"], &["rds:subgrp:{subnet_group}"]),
            // RDS does not say whether it is asked to tag what it is making; what is another's has its tag already.
            Permission::create(&["rds:AddTagsToResource"], &["rds:subgrp:{subnet_group}"])
                .when(&[When::RequestTag, When::NoTag]),
            Permission::change(&["rds:AddTagsToResource"], &["rds:subgrp:{subnet_group}"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["rds:RemoveTagsFromResource"], &["rds:subgrp:{subnet_group}"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(&["rds:ModifyDBSubnetGroup"], &["rds:subgrp:{subnet_group}"])
                .when(&[When::OwnTag]),
            Permission::delete(&["rds:DeleteDBSubnetGroup"], &["rds:subgrp:{subnet_group}"])
                .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
