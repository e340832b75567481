//! Parameters of the DB cluster parameter group. Which names there are is AWS's to say, and a plan asks for it: a
//! name that is not known here is a warning.

use crate::engine::Engine;
use crate::spec::Cluster;
use crate::spec::problem::nearest;
use crate::spec::reader::Reader;

/// What is written under `machine_learning` to get each of an engine's abilities.
const WRITTEN: [(&str, &str); 4] = [
    ("sagemaker", "sagemaker: { endpoints: [NAME] }"),
    ("comprehend", "comprehend: true"),
    ("s3", "s3: true"),
    ("bedrock", "bedrock: { models: [MODEL-ID] }"),
];

/// `family` is that of the cluster's version.
pub fn parameters(cluster: &Cluster, engine: &Engine, family: &str, reader: &mut Reader) {
    let known = &engine.parameters;
    for name in cluster.parameters.keys().map(String::as_str) {
        let path = format!("aurora.parameters.{name}");
        let wired = engine.abilities.iter().find(|ability| ability.wiring.parameter() == Some(name));
        if let Some(ability) = wired {
            let message = format!("`{name}` cannot be set on its own: it needs a role and an association");
            let key = written(ability.name);
            let hint = format!("write `{key}` under `machine_learning`, which sets all three");
            reader.report_key(&path, message, hint);
        } else if let Some(ability) = known.replacing_ability(name) {
            let new =
                engine.ability(ability).and_then(|ability| ability.wiring.parameter()).unwrap_or(ability);
            let message = format!("`{name}` does not exist in {family}, where it is called `{new}`");
            let hint = format!("write `{}` under `machine_learning`, which sets it", written(ability));
            reader.report_key(&path, message, hint);
        } else if known.fixed.contains(&name) {
            let message = format!("`{name}` probably cannot be changed on {}", engine.title);
            reader.warn_key(&path, message, "`auroraml plan` asks AWS; remove the line if AWS refuses it");
        } else if !known.of(family).any(|settable| settable == name) {
            let message = format!("`{name}` is not a known parameter of {family}");
            reader.warn_key(&path, message, instead(name, engine, family));
        }
    }
}

fn written(ability: &str) -> &str {
    WRITTEN.iter().find(|(name, _)| *name == ability).map_or(ability, |(_, key)| *key)
}

fn instead(name: &str, engine: &Engine, family: &str) -> String {
    let known = &engine.parameters;
    match known.replacement(name) {
        Some("") => {
            return "it was probably removed; `auroraml plan` asks AWS".to_owned();
        }
        Some(new) if known.of(family).any(|settable| settable == new) => {
            return format!("write `{new}`");
        }
        Some(_) | None => {}
    }
    match nearest(name, known.of(family)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`auroraml plan` asks AWS whether it exists".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::AURORA_MYSQL;

    #[test]
    fn every_ability_can_be_written() {
        for ability in AURORA_MYSQL.abilities {
            assert_ne!(written(ability.name), ability.name, "what is written to get it?");
        }
    }
}
