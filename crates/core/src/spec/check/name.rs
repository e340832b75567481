//! What names may look like.

/// What a region's name ends in, before the number.
const DIRECTIONS: [&str; 9] =
    ["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];

/// `us-east-1`, `us-gov-west-1`, …; also one that does not exist yet.
pub fn region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [area, between @ .., direction, number] = parts.as_slice() else { return false };
    area.len() == 2
        && area.chars().all(|c| c.is_ascii_lowercase())
        && between.iter().all(|word| word.starts_with("gov") || word.starts_with("iso"))
        && DIRECTIONS.contains(direction)
        && number.len() == 1
        && number.chars().all(|c| c.is_ascii_digit())
}

/// The partition of a region.
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// What is wrong with the name of a bucket (fact book, section 6.1).
pub fn bucket(name: &str) -> Option<&'static str> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let prefixes = ["xn--", "sthree-", "amzn-s3-demo-"];
    let suffixes = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an"];
    if !(3..=63).contains(&name.len()) {
        Some("it must have 3 to 63 characters")
    } else if !name.chars().all(allowed) {
        Some("only lower-case letters, digits, hyphens and periods are allowed")
    } else if !edge(name.chars().next()) || !edge(name.chars().next_back()) {
        Some("it must begin and end with a letter or digit")
    } else if name.contains("..") {
        Some("it has two periods in a row")
    } else if name.parse::<std::net::Ipv4Addr>().is_ok() {
        Some("it looks like an IP address")
    } else if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
        Some("AWS reserves its prefix")
    } else if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
        Some("AWS reserves its suffix")
    } else {
        None
    }
}

/// SageMaker's pattern `[a-zA-Z0-9](-*[a-zA-Z0-9])*`, at most 63 (fact book, section 4.1).
pub fn sagemaker(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.len() <= 63
        && edge(name.chars().next())
        && edge(name.chars().next_back())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The identifier of a cluster: 1 to 63 letters, digits and single hyphens, first a letter.
pub fn cluster(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// The name of a DB cluster parameter group: 1 to 255 letters, digits and single hyphens, first a letter (fact book,
/// section 1.2).
pub fn parameter_group(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// The name of a DB subnet group (botocore's model, CreateDBSubnetGroup).
pub fn subnet_group(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._ -".contains(c))
        && !name.eq_ignore_ascii_case("default")
}

/// What is wrong with the name of a secret (botocore's model, CreateSecret).
pub fn secret(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    let end = name.len().checked_sub(7).and_then(|at| name.get(at..));
    // AWS takes 512, and the tags that tell the name 256.
    if !(1..=256).contains(&name.len()) {
        Some("it must have 1 to 256 characters")
    } else if !name.chars().all(allowed) {
        Some("only letters, digits and / _ + = . @ - are allowed")
    } else if end
        .is_some_and(|end| end.starts_with('-') && end[1..].chars().all(|c| c.is_ascii_alphanumeric()))
    {
        Some("AWS itself appends a hyphen and six characters")
    } else {
        None
    }
}

/// An id that AWS gives: the prefix, and 8 or 17 hexadecimal digits.
pub fn id(text: &str, prefix: &str) -> bool {
    let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.strip_prefix(prefix)
        .is_some_and(|digits| matches!(digits.len(), 8 | 17) && digits.chars().all(hexadecimal))
}

/// `db.r6g.large`, `ml.m5.xlarge`: the prefix, a family and a size.
pub fn instance(class: &str, prefix: &str) -> bool {
    let parts: Vec<&str> = class.split('.').collect();
    let word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    parts.len() == 3
        && parts[0] == prefix
        && parts[1].starts_with(|c: char| c.is_ascii_lowercase())
        && parts[1..].iter().all(|part| word(part))
}

/// The name of an environment variable.
pub fn variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
