//! Who can connect to the cluster.

use crate::spec::reader::Reader;
use crate::spec::{Aurora, Network, Own, ParameterValue, Reference, Spec, references};

/// Warns of a cluster that nobody can reach, and of one that everybody may.
pub fn reach(spec: &Spec, reader: &mut Reader) {
    let Some(Aurora::Owned(cluster)) = &spec.aurora else { return };
    for (n, peer) in cluster.allow_from.iter().enumerate() {
        if peer.parse::<ipnet::Ipv4Net>().is_ok_and(|range| range.prefix_len() == 0) {
            let message = format!("`{peer}` lets every address connect");
            let hint = "name only the networks of your clients, such as `10.0.0.0/16`";
            reader.warn(&format!("aurora.allow_from[{n}]"), message, hint);
        }
    }
    if !cluster.allow_from.is_empty()
        || cluster.data_api
        || spec.notebook.is_some()
        || group_is_given_away(spec)
    {
        return;
    }
    let network = spec.network.as_ref().and_then(Network::owned);
    let range = network.map_or_else(|| "10.0.0.0/16".to_owned(), |network| network.cidr.to_string());
    let mut hint = format!(
        "add `allow_from: [\"{range}\"]` or the security group of a client to `aurora`, or add `notebook:`"
    );
    let has_data_api = (spec.engine().data_api_offered_in)(&spec.region);
    if has_data_api && !cluster.instances.iter().any(|instance| instance.class.starts_with("db.t")) {
        hint.push_str(", or write `data_api: true` for SQL over HTTPS");
    }
    let message = "nothing can connect to this cluster: it has no `allow_from`, no notebook and no Data API";
    reader.warn_key("aurora", message, hint);
}

/// Whether a CloudFormation template gets the cluster's security group, to which it may add rules.
fn group_is_given_away(spec: &Spec) -> bool {
    let values = spec.stacks.iter().flatten().flat_map(|(_, stack)| stack.parameters.values());
    let given = values.filter_map(|value| match value {
        ParameterValue::Text(text) => Some(text),
        ParameterValue::Environment(_) => None,
    });
    given.flat_map(|text| references(text)).any(|reference| reference == Reference::Own(Own::AuroraGroup))
}
