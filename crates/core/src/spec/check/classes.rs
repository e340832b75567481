//! Instance classes: `db.r6g.large`, `ml.m5.xlarge`. One that is not known may be new, and is only a warning; one that
//! AWS cannot have is refused.

use super::name;
use crate::spec::problem::nearest;
use crate::spec::reader::Reader;

/// Families, and the sizes that they come in.
pub type Families = [(&'static str, &'static str)];

/// What runs on an instance.
pub struct Runs<'f> {
    /// `db` or `ml`.
    pub prefix: &'static str,
    /// `DB instance class`
    pub title: &'static str,
    /// What runs on it, as a message says it: `an endpoint`.
    pub what: &'static str,
    pub known: &'f Families,
    /// What to write if nothing is close.
    pub example: &'static str,
}

pub const ON_NOTEBOOK: Runs<'static> =
    sagemaker("a notebook", NOTEBOOK, "write a type such as `ml.t3.medium`");
pub const ON_ENDPOINT: Runs<'static> =
    sagemaker("an endpoint", ENDPOINT, "write a type such as `ml.m5.large`");
pub const ON_TRAINING: Runs<'static> =
    sagemaker("a training job", TRAINING, "write a type such as `ml.m5.large`");

const fn sagemaker(what: &'static str, known: &'static Families, example: &'static str) -> Runs<'static> {
    Runs { prefix: "ml", title: "SageMaker instance type", what, known, example }
}

/// Reports a class that AWS cannot have, and warns of one that it is not known to have.
pub fn class(class: &str, runs: &Runs<'_>, path: &str, reader: &mut Reader) -> bool {
    let &Runs { prefix, title, what, example, .. } = runs;
    let size = class.rsplit('.').next().unwrap_or(class);
    if !name::instance(class, prefix) || !is_size(size) {
        let hint = meant(class, runs).unwrap_or_else(|| example.to_owned());
        reader.report(path, format!("`{class}` is not a {title}"), hint);
        return false;
    }
    if !names(runs).any(|known| known == class) {
        let hint = meant(class, runs).unwrap_or_else(|| example.to_owned());
        reader.warn(path, format!("`{class}` is not a known {title} for {what}"), hint);
    }
    true
}

fn names<'r>(runs: &'r Runs<'_>) -> impl Iterator<Item = String> + 'r {
    let families = runs.known.iter().flat_map(|(families, sizes)| {
        families.split(' ').flat_map(|family| sizes.split(' ').map(move |size| (family, size)))
    });
    families.map(|(family, size)| format!("{}.{family}.{size}", runs.prefix))
}

/// The class that was probably meant, as a question.
fn meant(class: &str, runs: &Runs<'_>) -> Option<String> {
    let names: Vec<String> = names(runs).collect();
    // Whoever forgot the prefix, or wrote that of the other service, knows the rest.
    let rest = class.strip_prefix("db.").or_else(|| class.strip_prefix("ml.")).unwrap_or(class);
    let full = format!("{}.{rest}", runs.prefix);
    nearest(&full, names.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`?"))
}

/// `large`, `12xlarge`, `metal`, `metal-24xl`: a new size is one of these as well.
fn is_size(text: &str) -> bool {
    let times = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    matches!(text, "nano" | "micro" | "small" | "medium" | "large")
        || text.strip_suffix("xlarge").is_some_and(times)
        || text == "metal"
        || text.strip_prefix("metal-").and_then(|rest| rest.strip_suffix("xl")).is_some_and(times)
}

// The types of botocore 1.43's models: InstanceType, ProductionVariantInstanceType and TrainingInstanceType.
const NOTEBOOK: &Families = &[
    ("t2 t3", "medium large xlarge 2xlarge"),
    ("m4", "xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
    ("m5", "xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
    ("m5d r5", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    ("c4", "xlarge 2xlarge 4xlarge 8xlarge"),
    ("c5 c5d", "xlarge 2xlarge 4xlarge 9xlarge 18xlarge"),
    ("p2", "xlarge 8xlarge 16xlarge"),
    ("p3", "2xlarge 8xlarge 16xlarge"),
    ("p3dn p4d p4de", "24xlarge"),
    ("g4dn", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("g5 g6", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("inf1", "xlarge 2xlarge 6xlarge 24xlarge"),
    ("trn1", "2xlarge 32xlarge"),
    ("trn1n", "32xlarge"),
    ("inf2", "xlarge 8xlarge 24xlarge 48xlarge"),
    ("p5", "4xlarge 48xlarge"),
    ("p6-b200 p5en", "48xlarge"),
    (
        "m6i c6i r6i m6id c6id r6id",
        "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    ),
    ("m7i c7i r7i", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
];
const ENDPOINT: &Families = &[
    ("t2", "medium large xlarge 2xlarge"),
    ("m4", "xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
    ("m5 m5d r5 r5d", "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
    ("c4", "large xlarge 2xlarge 4xlarge 8xlarge"),
    ("p2", "xlarge 8xlarge 16xlarge"),
    ("p3", "2xlarge 8xlarge 16xlarge"),
    ("c5 c5d", "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge"),
    ("g4dn", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("inf1", "xlarge 2xlarge 6xlarge 24xlarge"),
    ("dl1 p4d p4de", "24xlarge"),
    ("c6i m6i r6i c6in", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    ("g5 g6 g6e", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("r8g c8g m8g", "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("g7e", "2xlarge 4xlarge 8xlarge 12xlarge 24xlarge 48xlarge"),
    ("c7g m6g m6gd c6g c6gd c6gn r6g r6gd", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("trn1", "2xlarge 32xlarge"),
    ("trn1n", "32xlarge"),
    ("trn2 p5e p5en p6-b200 p6-b300", "48xlarge"),
    ("inf2", "xlarge 8xlarge 24xlarge 48xlarge"),
    ("p5", "4xlarge 48xlarge"),
    ("m7i c7i r7i", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("r7gd", "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("p6e-gb200", "36xlarge"),
];
const TRAINING: &Families = &[
    ("m4", "xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
    ("g4dn", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    ("m5", "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"),
    ("c4", "xlarge 2xlarge 4xlarge 8xlarge"),
    ("p2", "xlarge 8xlarge 16xlarge"),
    ("p3", "2xlarge 8xlarge 16xlarge"),
    ("p3dn p4d p4de", "24xlarge"),
    ("p5", "4xlarge 48xlarge"),
    ("p5e p5en trn2 p6-b200 p6-b300", "48xlarge"),
    ("c5 c5n", "xlarge 2xlarge 4xlarge 9xlarge 18xlarge"),
    ("g5 g6 g6e", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("trn1", "2xlarge 32xlarge"),
    ("trn1n", "32xlarge"),
    ("m6i", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    ("c6i", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    ("r5d r5", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    ("t3", "medium large xlarge 2xlarge"),
    ("m7i c7i r7i", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    ("p6e-gb200", "36xlarge"),
    ("g7e", "2xlarge 4xlarge 8xlarge 12xlarge 24xlarge 48xlarge"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_that_aws_has_or_may_have() {
        let known = [NOTEBOOK, ENDPOINT, TRAINING, crate::spec::ENGINE.classes];
        for (_, sizes) in known.into_iter().flatten() {
            assert!(sizes.split(' ').all(is_size), "{sizes}");
        }
        for size in ["96xlarge", "metal", "metal-48xl", "xlarge"] {
            assert!(is_size(size), "{size}");
        }
        for size in ["larg", "xlarg", "2xlarges", "big", "", "metal-"] {
            assert!(!is_size(size), "{size}");
        }
    }
}
