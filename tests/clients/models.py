"""Holds what the tests sent, and what the sandbox answered, against AWS's own models.

usage: models.py <folder of recordings> [<folder of the tool's source>]

The recordings are made by `AURORAML_TEST_RECORD=<folder> cargo test --test it`. A request of the tool must keep to its
model; one of a test may break it only if the sandbox refused it. Every answer must have the shape that AWS gives it. With the
tool's source, every operation that it calls must be among those recorded.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from botocore import xform_name
from botocore.model import OperationModel
from wire import MODELS, Exchange, Reading, model, read_answer, read_request

# Codes that every operation of a service can answer, and so are in no operation's model. From "Common Error Types" of
# each API reference, and for EC2 (whose model has no errors at all) "Error codes for the Amazon EC2 API".
COMMON = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
    "InternalFailure", "InternalError", "InvalidAction", "InvalidClientTokenId", "InvalidParameterCombination",
    "InvalidParameterValue", "InvalidQueryParameter", "MalformedQueryString", "MissingAction",
    "MissingAuthenticationToken", "MissingParameter", "NotAuthorized", "OptInRequired", "RequestExpired",
    "ServiceUnavailable", "Throttling", "ThrottlingException", "UnrecognizedClientException",
    "UnknownOperationException", "ValidationError", "ValidationException",
}  # fmt: skip

# S3's model names few of its errors; these are in "List of error codes" of the S3 API reference.
COMMON_S3 = {
    "IllegalLocationConstraintException", "InvalidArgument", "InvalidBucketName", "InvalidLocationConstraint",
    "InvalidRange", "InvalidRequest", "MalformedXML", "MethodNotAllowed", "NoSuchBucketPolicy", "NoSuchKey", "NoSuchTagSet",
    "NoSuchVersion", "OperationAborted", "PermanentRedirect", "PreconditionFailed",
}  # fmt: skip

# Where AWS itself does not keep to its model, and why we believe so.
OTHERWISE = {
    # Pascal case in the enum; lower case in the filter's own documentation ("vpc-endpoint-state") and on the wire, as
    # Terraform's provider compares it (internal/service/ec2/consts.go, vpcEndpointStateAvailable).
    r"answer of ec2:(Create|Describe)VpcEndpoints?: .*State: '(pending|available|deleting)' is none of Pending.*",
    # "For an internet gateway, the state is available when attached to a VPC": the member's own documentation.
    r"answer of ec2:DescribeInternetGateways: .*Attachments\[\]\.State: 'available' is none of .*",
    # `natGateway` in the enum; `nat_gateway` in the documentation of the filter "interface-type".
    r"answer of ec2:DescribeNetworkInterfaces: .*InterfaceType: 'nat_gateway' is none of .*",
    # The model names what is not found of some kinds only; groups have codes of their own in every other operation.
    r"answer of rds:ListTagsForResource: DB(ParameterGroupNotFound|SubnetGroupNotFoundFault) is no error .*",
    # `PermissionsBoundaryPolicy` in the enum; "can only have a value of Policy" in the member's own documentation.
    r"answer of iam:(Create|Get)Role: .*PermissionsBoundaryType: 'Policy' is none of PermissionsBoundaryPolicy",
    # The stack's own events have its own statuses, of which the enum of resources has but some ("Stack status codes" and
    # "View stack events" in the CloudFormation User Guide).
    r"answer of cloudformation:DescribeStackEvents: StackEvents\[\]\.ResourceStatus: "
    r"'(UPDATE(_ROLLBACK)?_COMPLETE_CLEANUP_IN_PROGRESS|REVIEW_IN_PROGRESS)' is none of .*",
    # The ARN of a secret that RDS manages ("rds!cluster-" and a UUID) has 108 characters in us-east-1. The guide ("Using
    # the Amazon RDS Data API") takes managed secrets, and they are what people use.
    r"request of rds-data:\w+: secretArn: length 10[1-9] is not within 11 and 100",
}


class Tally:
    """What was checked, and what was found."""

    def __init__(self) -> None:
        self.operations: dict[str, set[str]] = defaultdict(set)
        self.by_tool: dict[str, set[str]] = defaultdict(set)
        self.requests = self.answers = self.refused = 0
        self.found: Counter[str] = Counter()
        self.otherwise: set[str] = set()

    def look(self, exchange: Exchange) -> None:
        if exchange.service not in MODELS:
            return
        found, request = read_request(exchange)
        if found is None:
            # A test may ask for an operation that there is not; the sandbox must say so.
            if exchange.who == "tool" or exchange.status < 400:
                self.found.update(f"request: {problem}" for problem in request.problems)
            return
        name = f"{exchange.service}:{found.name}"
        self.operations[exchange.service].add(found.name)
        if exchange.who == "tool":
            self.by_tool[exchange.service].add(found.name)
        self.requests += 1
        if exchange.who == "tool" or exchange.status < 300:
            self.tell("request", name, request)
        elif request.problems:
            self.refused += 1
        self.answers += 1
        answer = read_answer(found, exchange)
        self.tell("answer", name, answer)
        if exchange.status >= 400:
            code = answer.value["Error"]["Code"]
            if not is_known(found, code):
                self.add(f"answer of {name}: {code} is no error of this operation")

    def tell(self, side: str, name: str, reading: Reading) -> None:
        for problem in reading.problems:
            anywhere = re.sub(r"\[\d+\]", "[]", problem)
            self.add(f"{side} of {name}: {anywhere}")

    def add(self, what: str) -> None:
        kept = next((known for known in OTHERWISE if re.fullmatch(known, what)), None)
        if kept:
            self.otherwise.add(kept)
        else:
            self.found[what] += 1


def is_known(found: OperationModel, code: str) -> bool:
    # Without a body there is no code but the status.
    if found.service_model.service_name == "s3" and code in COMMON_S3:
        return True
    if code in COMMON or not found.error_shapes or code.isdigit():
        return True
    modelled = {shape.metadata.get("error", {}).get("code", shape.name) for shape in found.error_shapes}
    return code in modelled | {shape.name for shape in found.error_shapes}


def called(source: Path) -> set[tuple[str, str]]:
    """Service and operation of every call in the tool's source: `aws.rds.describe_db_clusters()`."""
    clients = {name.replace("-", ""): name for name in MODELS}
    call = re.compile(rf"\b({'|'.join(clients)})\s*\.\s*(\w+)\(\)")
    found = set()
    for file in sorted(source.rglob("*.rs")):
        for client, method in call.findall(file.read_text()):
            by_method = {rust_name(name): name for name in model(clients[client]).operation_names}
            if method in by_method:
                found.add((clients[client], by_method[method]))
    return found


def rust_name(operation: str) -> str:
    return xform_name(operation).replace("_ml_", "_ml")


def main() -> int:
    folder, *source = map(Path, sys.argv[1:])
    tally = Tally()
    for file in sorted(folder.glob("*.jsonl")):
        with file.open() as lines:
            for line in lines:
                tally.look(Exchange.load(line))
    count = sum(map(len, tally.operations.values()))
    by_tool = sum(map(len, tally.by_tool.values()))
    for service in sorted(MODELS):
        print(f"{service}: {len(tally.operations[service])} operations, {len(tally.by_tool[service])} of the tool")
    print(
        f"models: {count} operations ({by_tool} of the tool), {tally.requests} requests, {tally.answers} answers; "
        f"{tally.refused} requests of tests break a model and were refused; "
        f"{len(tally.otherwise)} of {len(OTHERWISE)} places seen where AWS does not keep to its model"
    )
    for what, times in sorted(tally.found.items()):
        print(f"violation: {what} ({times} times)")
    missing = [
        f"{service}:{name}"
        for service, name in sorted(called(source[0]) if source else [])
        if name not in tally.by_tool[service]
    ]
    for name in missing:
        print(f"not recorded: the tool calls {name}, and no test did")
    print(f"models: {len(tally.found)} violations, {len(missing)} operations of the tool not recorded")
    return 1 if tally.found or missing or not tally.requests else 0


if __name__ == "__main__":
    sys.exit(main())
