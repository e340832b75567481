//! Who may take a role on: trust policies for pipelines that come with a token (OpenID Connect).

use crate::base::policy::document;
use serde_json::{Value, json};

/// Where a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    GitHub,
    GitLab,
}

/// Which of a repository's runs are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// `OWNER/NAME`, or `GROUP/…/PROJECT`.
    pub repository: String,
    pub environment: Option<String>,
    pub branch: Option<String>,
    /// Whether the role only looks: then pull requests, and branches with `*`, may have it.
    pub only_looks: bool,
}

/// Why there is no such trust policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustError {
    pub why: String,
    pub hint: String,
}

impl Host {
    /// Host of the provider, and what its tokens have as `aud`.
    ///
    /// GitHub: "Configuring OpenID Connect in Amazon Web Services"; GitLab: "Configure OpenID Connect in AWS to retrieve
    /// temporary credentials".
    fn provider(self) -> (&'static str, &'static str) {
        match self {
            Host::GitHub => ("token.actions.githubusercontent.com", "sts.amazonaws.com"),
            Host::GitLab => ("gitlab.com", "https://gitlab.com"),
        }
    }
}

/// The trust policy for these runs.
///
/// # Errors
/// When the claims cannot say that, or would let in too many.
pub fn trust(host: Host, partition: &str, account: &str, trusted: &Trusted) -> Result<Value, TrustError> {
    let refuse = |why: &str, hint: &str| Err(TrustError { why: why.into(), hint: hint.into() });
    let is_name = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    let parts: Vec<&str> = trusted.repository.split('/').collect();
    let enough = match host {
        Host::GitHub => parts.len() == 2,
        Host::GitLab => parts.len() >= 2,
    };
    if !enough || !parts.iter().all(|part| is_name(part)) {
        return refuse("invalid repository", "write `--repository OWNER/NAME`");
    }
    let texts = [&trusted.environment, &trusted.branch].into_iter().flatten();
    let plain = |text: &String| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/*".contains(c))
    };
    if !texts.clone().all(plain) {
        return refuse("invalid environment or branch", "use letters, digits and `_ . - /`");
    }
    let any = texts.clone().any(|text| text.contains('*'));
    if any && !trusted.only_looks {
        return refuse(
            "`*` would let every branch change the stack",
            "use one protected branch or environment; `*` is allowed only with `--for plan`",
        );
    }
    let repository = &trusted.repository;
    let subject = match (host, &trusted.environment, &trusted.branch) {
        (_, Some(_), Some(_)) => {
            return refuse("use `--environment` or `--branch`", "remove one of them");
        }
        // GitHub, "OpenID Connect reference", example subject claims.
        (Host::GitHub, Some(environment), None) => format!("repo:{repository}:environment:{environment}"),
        (Host::GitHub, None, Some(branch)) => format!("repo:{repository}:ref:refs/heads/{branch}"),
        (Host::GitHub, None, None) if trusted.only_looks => format!("repo:{repository}:pull_request"),
        // GitLab, "OpenID Connect (OIDC) authentication using ID tokens": `sub` has no environment.
        (Host::GitLab, Some(_), None) => {
            return refuse("GitLab's tokens have no environment in `sub`", "use a protected `--branch`");
        }
        (Host::GitLab, None, Some(branch)) => {
            format!("project_path:{repository}:ref_type:branch:ref:{branch}")
        }
        (_, None, None) => {
            return refuse(
                "anyone who can push could change the stack",
                "use a protected branch or environment: `--branch main`",
            );
        }
    };
    let (provider, audience) = host.provider();
    let operator = if any { "StringLike" } else { "StringEquals" };
    let mut condition = json!({"StringEquals": {format!("{provider}:aud"): audience}});
    condition[operator][format!("{provider}:sub")] = json!(subject);
    Ok(document(vec![json!({
        "Effect": "Allow",
        "Principal": {"Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{provider}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    })]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(host: Host, environment: &str, branch: &str, only_looks: bool) -> Result<String, String> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
        let trusted = Trusted {
            repository: "acme/shop".into(),
            environment: some(environment),
            branch: some(branch),
            only_looks,
        };
        let document = trust(host, "aws", "111122223333", &trusted).map_err(|error| error.why)?;
        let statement = &document["Statement"][0];
        let provider = host.provider().0;
        assert_eq!(
            statement["Principal"]["Federated"],
            format!("arn:aws:iam::111122223333:oidc-provider/{provider}")
        );
        assert_eq!(statement["Condition"]["StringEquals"][format!("{provider}:aud")], host.provider().1);
        let operators = statement["Condition"].as_object().unwrap().iter();
        let found: Vec<String> = operators
            .filter_map(|(operator, keys)| {
                Some(format!("{operator} {}", keys[format!("{provider}:sub")].as_str()?))
            })
            .collect();
        Ok(found.concat())
    }

    #[test]
    fn subjects_are_exact() {
        let github = |environment, branch, looks| subject(Host::GitHub, environment, branch, looks);
        assert_eq!(
            github("production", "", false).unwrap(),
            "StringEquals repo:acme/shop:environment:production"
        );
        assert_eq!(github("", "main", false).unwrap(), "StringEquals repo:acme/shop:ref:refs/heads/main");
        assert_eq!(github("", "", true).unwrap(), "StringEquals repo:acme/shop:pull_request");
        let gitlab = |branch, looks| subject(Host::GitLab, "", branch, looks);
        assert_eq!(
            gitlab("main", false).unwrap(),
            "StringEquals project_path:acme/shop:ref_type:branch:ref:main"
        );
        assert_eq!(gitlab("*", true).unwrap(), "StringLike project_path:acme/shop:ref_type:branch:ref:*");
    }

    #[test]
    fn what_lets_in_too_many_is_refused() {
        for (host, environment, branch) in [
            (Host::GitHub, "", ""),
            (Host::GitLab, "", ""),
            (Host::GitHub, "", "*"),
            (Host::GitHub, "production", "main"),
            (Host::GitLab, "production", ""),
            (Host::GitHub, "a:b", ""),
        ] {
            assert!(subject(host, environment, branch, false).is_err(), "{environment} {branch}");
        }
        let nobody = Trusted { repository: "acme".into(), branch: Some("main".into()), ..Trusted::default() };
        assert!(trust(Host::GitHub, "aws", "1", &nobody).is_err());
    }
}
