//! What watches clusters and instances, and what they are known by: Enhanced Monitoring, Performance Insights,
//! Database Insights, certificates.

use super::context::Context;
use super::refusals::{combination, invalid};
use super::state::{Insights, Monitoring, Settings};
use super::{credentials, versions};
use crate::wire::{Fault, Params};

/// Enhanced Monitoring as the request has it, over what there was. The first text is quoted in many issues of
/// Terraform's provider, the second in AWS's troubleshooting pages.
pub(super) fn monitoring(c: &Context<'_>, before: &Monitoring) -> Result<Monitoring, Fault> {
    let p = c.params();
    let interval = match p.get("MonitoringInterval") {
        None => before.interval,
        Some(text) => {
            text.parse().ok().filter(|seconds| [0, 1, 5, 10, 15, 30, 60].contains(seconds)).ok_or_else(
                || invalid(format!("Invalid MonitoringInterval {text}: 0, 1, 5, 10, 15, 30 or 60 seconds.")),
            )?
        }
    };
    let given = p.get("MonitoringRoleArn").filter(|arn| !arn.is_empty());
    let role = given.map(str::to_string).or_else(|| before.role.clone());
    if interval > 0 && role.is_none() {
        return Err(combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
        ));
    }
    if interval == 0 && given.is_some() {
        return Err(combination(
            "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value.",
        ));
    }
    if let Some(arn) = given
        && !c.rds.lenient
        && !c.iam.assumable(arn, "monitoring.rds.amazonaws.com", c.now)
    {
        return Err(invalid(
            "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING",
        ));
    }
    // Turned off, it forgets the role (API model of ModifyDBInstance).
    Ok(Monitoring { interval, role: role.filter(|_| interval > 0) })
}

/// Performance Insights as the request has it, over what there was. Its retention is a week, whole months of 31
/// days, or two years (API model of CreateDBInstance).
pub(super) fn insights(c: &mut Context<'_>, before: &Insights) -> Result<Insights, Fault> {
    let p = c.params();
    let enabled = p.flag("EnablePerformanceInsights").unwrap_or(before.enabled);
    let (retention, key) =
        (p.get("PerformanceInsightsRetentionPeriod"), p.get("PerformanceInsightsKMSKeyId"));
    if !enabled && (retention.is_some() || key.is_some()) {
        return Err(combination(
            "To set the retention period or the KMS key of Performance Insights, turn Performance Insights on.",
        ));
    }
    if !enabled {
        return Ok(Insights::default());
    }
    let retention = match retention {
        None => before.retention.max(7),
        Some(text) => text
            .parse()
            .ok()
            .filter(|days: &u64| [7, 731].contains(days) || days.is_multiple_of(31) && (31..=713).contains(days))
            .ok_or_else(|| {
                invalid(format!(
                    "Invalid Performance Insights retention period {text}: 7, 731, or a multiple of 31 up to 713."
                ))
            })?,
    };
    let key = match (&before.key, key) {
        (Some(before), None) => before.clone(),
        (Some(before), Some(other)) if !before.ends_with(other.rsplit('/').next().unwrap_or(other)) => {
            return Err(combination("You can't change the KMS key of Performance Insights."));
        }
        (Some(before), Some(_)) => before.clone(),
        (None, _) => credentials::key(c, "PerformanceInsightsKMSKeyId", "rds")?,
    };
    Ok(Insights { enabled, retention, key: Some(key) })
}

/// `standard` or `advanced`. Advanced keeps Performance Insights for 15 months (API model of CreateDBCluster).
pub(super) fn insights_mode(p: &Params, before: &str, insights: &Insights) -> Result<String, Fault> {
    let mode = p.get("DatabaseInsightsMode").unwrap_or(before);
    match mode {
        "standard" => Ok(mode.to_string()),
        "advanced" if insights.enabled && insights.retention >= 465 => Ok(mode.to_string()),
        "advanced" => Err(combination(
            "To enable the advanced mode of Database Insights, turn Performance Insights on with a retention period \
             of at least 465 days.",
        )),
        other => Err(invalid(format!("Invalid DatabaseInsightsMode: {other}"))),
    }
}

/// The engine mode and the network type that there are here.
pub(super) fn check_kind(p: &Params) -> Result<(), Fault> {
    match (p.get("EngineMode"), p.get("NetworkType")) {
        (None | Some("provisioned"), None | Some("IPV4")) => Ok(()),
        (None | Some("provisioned"), Some(other)) => {
            Err(invalid(format!("The sandbox does not model the network type {other}.")))
        }
        (Some(other), _) => {
            Err(combination(format!("The engine mode {other} you requested is currently unavailable.")))
        }
    }
}

/// The certificate authority that the request names.
pub(super) fn certificate(p: &Params) -> Result<Option<String>, Fault> {
    match p.get("CACertificateIdentifier") {
        Some(name) if !versions::CERTIFICATES.contains(&name) => {
            Err(Fault::new(404, "CertificateNotFound", format!("Certificate not found: {name}")))
        }
        given => Ok(given.map(str::to_string)),
    }
}

/// Aurora MySQL forwards writes from version 3.04 on (Aurora User Guide, "Local write forwarding").
pub(super) fn check_forwarding(settings: &Settings) -> Result<(), Fault> {
    let version = versions::find(&settings.engine_version);
    match settings.local_write_forwarding && !version.is_some_and(|version| version.forwards_writes()) {
        true => Err(combination(format!(
            "Local write forwarding isn't supported by aurora-mysql {}.",
            settings.engine_version
        ))),
        false => Ok(()),
    }
}
