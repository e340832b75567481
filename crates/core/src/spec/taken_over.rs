//! What the stack takes over from a CloudFormation stack.

use super::fields::fields;
use std::collections::BTreeMap;

fields! {
    pub struct TakenOver in "taken_over" (
        hint: "`auroraml adopt --from-stack NAME --out SPEC` writes it"
    ) {
        /// ARN of the CloudFormation stack that made the objects.
        from_stack: String {
            required: "write the stack's ARN: `from_stack: arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID`",
            changed: "of the run",
            meaning: "ARN of the CloudFormation stack that made the objects; as long as it is there, `apply` changes nothing but tags",
        }
        /// AWS's id of each object that becomes the stack's, by its name within the stack.
        objects: BTreeMap<String, String> {
            changed: "what is taken out is the stack's by its tags alone",
            meaning: "AWS's own id or name of each object that becomes the stack's, such as `vpc.main: vpc-0123`",
        }
        /// Properties that stay as they were found, by the object's name within the stack; `"*"` for all of them.
        as_found: BTreeMap<String, Vec<String>> {
            type: "mapping of lists of properties",
            changed: "in place",
            meaning: "properties that stay as they were found, such as `bucket.main: [policy]`; `\"*\"` leaves all of the object as it is. What is taken out of the list is brought to what the spec says",
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
