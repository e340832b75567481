//! What the stack takes over from a CloudFormation stack.

use super::fields::fields;
use std::collections::BTreeMap;

fields! {
    pub struct TakenOver in "taken_over" (
        hint: "`auroraml adopt --from-stack NAME --out SPEC` writes it"
    ) {
        /// ARN of the CloudFormation stack that created the objects.
        from_stack: String {
            required: "write the stack's ARN: `from_stack: arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID`",
            changed: "from the next run on",
            meaning: "ARN of the CloudFormation stack that created the objects; while it exists, `apply` changes only tags",
        }
        /// AWS's ID of each object to take over, by its name in the stack.
        objects: BTreeMap<String, String> {
            changed: "objects that you remove from it belong to the stack by their tags alone",
            meaning: "AWS's ID or name of each object to take over, such as `vpc.main: vpc-0123`",
        }
        /// Properties to leave as they were found, by the object's name in the stack; `"*"` for all of them.
        as_found: BTreeMap<String, Vec<String>> {
            type: "mapping of lists of properties",
            changed: "in place",
            meaning: "properties to leave as they were found, such as `bucket.main: [policy]`; `\"*\"` leaves the whole object. A property that you remove from the list is changed to match the spec",
        }
    }
}

impl TakenOver {
    /// Name of the CloudFormation stack.
    pub fn stack_name(&self) -> &str {
        self.from_stack.split('/').nth(1).unwrap_or(&self.from_stack)
    }

    /// Whether this object of AWS becomes the stack's under this name. RDS keeps identifiers in lower case, and
    /// CloudFormation as they were typed.
    pub fn takes(&self, resource: &str, physical: &str) -> bool {
        self.objects.get(resource).is_some_and(|object| object.eq_ignore_ascii_case(physical))
    }
}
