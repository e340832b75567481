//! `${stacks.NAME.OUTPUT}` and `${cluster.arn}` in values: what is known only once something of the stack is there.
//!
//! Variables are filled in before anything is read; a reference stays in its text, and becomes an edge of the graph.

/// What something of the stack gives. The stacks of templates take all of these in their parameters; everything else
/// takes outputs of such stacks alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An output of a template.
    Output {
        stack: String,
        output: String,
    },
    Own(Own),
}

macro_rules! own {
    ($($variant:ident = $name:literal: $what:literal,)*) => {
        /// What a template's parameter can be given of the stack's own.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Own {
            $($variant,)*
            /// Name and ARN of a SageMaker endpoint.
            EndpointName(String),
            EndpointArn(String),
        }

        /// Every name, and what it stands for.
        pub const OWN: &[(&str, &str)] = &[
            $(($name, $what),)*
            ("endpoints.NAME.name", "name of an endpoint"),
            ("endpoints.NAME.arn", "ARN of an endpoint"),
        ];

        fn own(name: &str) -> Option<Own> {
            match name {
                $($name => Some(Own::$variant),)*
                _ => None,
            }
        }
    };
}

own! {
    ClusterArn = "cluster.arn": "ARN of the cluster",
    ClusterIdentifier = "cluster.identifier": "identifier of the cluster",
    ClusterEndpoint = "cluster.endpoint": "host name of the stack's own cluster",
    ClusterPort = "cluster.port": "port of the stack's own cluster",
    VpcId = "vpc.id": "id of the VPC",
    PrivateSubnets = "subnets.private": "ids of the private subnets, with commas between them",
    PublicSubnets = "subnets.public": "ids of the public subnets, with commas between them",
    AuroraGroup = "security_groups.aurora": "id of the cluster's security group",
    NotebookGroup = "security_groups.notebook": "id of the notebook's security group",
    SecretArn = "secret.arn": "ARN of the master user's secret",
    BucketName = "bucket.name": "name of the stack's bucket",
    BucketArn = "bucket.arn": "ARN of the stack's bucket",
    NotebookName = "notebook.name": "name of the notebook",
}

/// Characters of a reference.
const NAME_MAX: usize = 200;

impl Reference {
    /// The reference of this name; none of a name that no reference has.
    pub fn parse(name: &str) -> Option<Reference> {
        let parts: Vec<&str> = name.split('.').collect();
        match parts.as_slice() {
            ["stacks", stack, output] if !stack.is_empty() && !output.is_empty() => {
                Some(Reference::Output { stack: (*stack).to_owned(), output: (*output).to_owned() })
            }
            ["endpoints", name, "name"] => Some(Reference::Own(Own::EndpointName((*name).to_owned()))),
            ["endpoints", name, "arn"] => Some(Reference::Own(Own::EndpointArn((*name).to_owned()))),
            _ => own(name).map(Reference::Own),
        }
    }
}

/// Whether a name in `${…}` is meant as a reference: variables have no dots.
pub fn is_meant(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    name.contains('.') && name.len() <= NAME_MAX && name.chars().all(allowed)
}

/// Part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    Text(&'t str),
    Reference(Reference),
}

/// The parts of a text whose variables are filled in.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(next) = text[at..].find("${").map(|found| at + found) {
        let inner = &text[next + 2..];
        let found = inner.find('}').and_then(|end| Some((end, Reference::parse(&inner[..end])?)));
        at = next + 2;
        if let Some((end, reference)) = found {
            if next > start {
                pieces.push(Piece::Text(&text[start..next]));
            }
            pieces.push(Piece::Reference(reference));
            at = next + 2 + end + 1;
            start = at;
        }
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    pieces
}

/// The references in a text.
pub fn references(text: &str) -> Vec<Reference> {
    let found = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Reference(reference) => Some(reference),
        Piece::Text(_) => None,
    });
    found.collect()
}

/// Whether the value is, or holds, a reference: then nothing is known of it before an apply.
pub fn is_reference(text: &str) -> bool {
    !references(text).is_empty()
}

/// Where a reference may stand, by the path in the spec: all of them, or the outputs of stacks alone.
pub fn is_taken(path: &str, reference: &Reference) -> bool {
    let parameter = path.starts_with("stacks.") && path.contains(".parameters.");
    match reference {
        Reference::Own(_) => parameter,
        Reference::Output { .. } => parameter || OUTPUT_PLACES.iter().any(|place| is_at(path, place)),
    }
}

/// The fields that take an output of a template's stack; `*` is any key or index.
pub const OUTPUT_PLACES: &[&str] = &[
    "network.existing",
    "network.private_subnets[*]",
    "network.public_subnets[*]",
    "aurora.allow_from[*]",
    "aurora.parameters.*",
    "kms_key",
    "machine_learning.s3.buckets[*]",
    "roles.*",
];

fn is_at(path: &str, place: &str) -> bool {
    match place.split_once('*') {
        None => path == place,
        Some((before, after)) => {
            let inner = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            inner.is_some_and(|inner| !inner.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_parts() {
        let vpc = Reference::Output { stack: "net".into(), output: "VpcId".into() };
        assert_eq!(pieces("${stacks.net.VpcId}"), [Piece::Reference(vpc.clone())]);
        assert_eq!(
            pieces("a-${stacks.net.VpcId}-${x}"),
            [Piece::Text("a-"), Piece::Reference(vpc), Piece::Text("-${x}")]
        );
        assert_eq!(references("${cluster.arn}"), [Reference::Own(Own::ClusterArn)]);
        assert!(references("${cluster.color} ${stacks.net} ${").is_empty());
    }

    #[test]
    fn where_references_stand() {
        let output = Reference::parse("stacks.net.VpcId").unwrap();
        let own = Reference::parse("endpoints.churn.arn").unwrap();
        for (path, takes_output, takes_own) in [
            ("stacks.alarm.parameters.Cluster", true, true),
            ("network.existing", true, false),
            ("network.private_subnets[1]", true, false),
            ("roles.sagemaker", true, false),
            ("kms_key", true, false),
            ("machine_learning.s3.buckets[0]", true, false),
            ("permissions_boundary", false, false),
            ("bucket.name", false, false),
            ("aurora.parameters.max_connections", true, false),
            ("network.cidr", false, false),
            ("region", false, false),
        ] {
            assert_eq!(is_taken(path, &output), takes_output, "{path}");
            assert_eq!(is_taken(path, &own), takes_own, "{path}");
        }
    }
}
