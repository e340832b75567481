"""Does the judge of the models notice? For each wire format a good request and answer, and each way to break them."""

from __future__ import annotations

import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from botocore.serialize import create_serializer
from models import OTHERWISE, Tally, called
from wire import Exchange, model

HEAD = "http://sandbox"
GOOD: dict[tuple[str, str], tuple[dict[str, Any], bytes]] = {
    ("rds", "AddTagsToResource"): (
        {"ResourceName": "arn:aws:rds:us-east-1:111122223333:cluster:c", "Tags": [{"Key": "k", "Value": "v"}]},
        b"<AddTagsToResourceResponse><ResponseMetadata/></AddTagsToResourceResponse>",
    ),
    ("rds", "DescribeDBClusterParameterGroups"): (
        {"Filters": [{"Name": "n", "Values": ["a", "b"]}], "MaxRecords": 20},
        b"<DescribeDBClusterParameterGroupsResponse><DescribeDBClusterParameterGroupsResult><DBClusterParameterGroups>"
        b"<DBClusterParameterGroup><Description>d</Description></DBClusterParameterGroup></DBClusterParameterGroups>"
        b"</DescribeDBClusterParameterGroupsResult></DescribeDBClusterParameterGroupsResponse>",
    ),
    ("iam", "CreateRole"): (
        {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Tags": [{"Key": "k", "Value": "v w"}]},
        b"<CreateRoleResponse><CreateRoleResult><Role><Path>/</Path><RoleName>r</RoleName>"
        b"<RoleId>AROA1234567890123456</RoleId><Arn>arn:aws:iam::111122223333:role/r</Arn>"
        b"<CreateDate>2026-11-20T00:00:00Z</CreateDate></Role></CreateRoleResult></CreateRoleResponse>",
    ),
    ("ec2", "CreateVpc"): (
        {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "k"}]}]},
        b"<CreateVpcResponse><requestId>1</requestId><vpc><vpcId>vpc-1</vpcId><state>available</state></vpc>"
        b"</CreateVpcResponse>",
    ),
    ("sagemaker", "DescribeEndpoint"): (
        {"EndpointName": "churn"},
        b'{"EndpointName":"churn","EndpointArn":"arn:aws:sagemaker:us-east-1:111122223333:endpoint/churn",'
        b'"EndpointStatus":"InService","CreationTime":1.5,"LastModifiedTime":1.5}',
    ),
    ("rds-data", "ExecuteStatement"): (
        {
            "resourceArn": "arn:aws:rds:us-east-1:1:cluster:c",
            "secretArn": "arn:aws:secretsmanager:x",
            "sql": "SHOW GRANTS",
        },
        b'{"numberOfRecordsUpdated":0}',
    ),
    ("s3", "PutBucketTagging"): ({"Bucket": "some-bucket", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}, b""),
    ("s3", "ListObjectsV2"): (
        {"Bucket": "some-bucket", "Prefix": "p", "MaxKeys": 5},
        b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>some-bucket</Name>'
        b"<IsTruncated>false</IsTruncated><Contents><Key>k</Key><Size>1</Size></Contents></ListBucketResult>",
    ),
}


def exchange(service: str, name: str) -> Exchange:
    request, answer = GOOD[service, name]
    described = model(service)
    serializer = create_serializer(described.protocol, include_validation=False)
    raw = serializer.serialize_to_request(request, described.operation_model(name))
    body = raw["body"]
    body = urlencode(body) if isinstance(body, dict) else body
    path, _, fixed = raw["url_path"].partition("?")
    query = raw["query_string"]
    return Exchange(
        service=service,
        method=raw["method"],
        path=path,
        query=fixed if not query else fixed + "&" * bool(fixed) + urlencode(query),
        headers={name.lower(): value for name, value in raw["headers"].items()},
        body=body.encode() if isinstance(body, str) else body or b"",
        status=200,
        answer_headers={},
        answer=answer,
        who="tool",
    )


def found(*exchanges: Exchange) -> list[str]:
    tally = Tally()
    for each in exchanges:
        tally.look(each)
    return sorted(tally.found)


class TheJudge(unittest.TestCase):
    def assert_notices(self, service: str, name: str, old: bytes, new: bytes, what: str, side: str = "body") -> None:
        broken = exchange(service, name)
        text = getattr(broken, side)
        self.assertIn(old, text)
        setattr(broken, side, text.replace(old, new))
        self.assertTrue(any(what in problem for problem in found(broken)), f"{what} is not in {found(broken)}")

    def test_what_is_good_is_not_told(self) -> None:
        self.assertEqual(found(*(exchange(*key) for key in GOOD)), [])

    def test_requests(self) -> None:
        for service, name, old, new, what in [
            # Unknown and missing members, in every format.
            ("rds", "AddTagsToResource", b"Tags.Tag.1.Key", b"Tags.Tag.1.Kay", "Tags.Tag.1.Kay: unknown member"),
            ("rds", "AddTagsToResource", b"ResourceName", b"ResourceNome", "ResourceName: missing"),
            ("rds", "AddTagsToResource", b"Version=2014", b"Version=2013", "Version: not 2014-10-31"),
            ("ec2", "CreateVpc", b"CidrBlock", b"Cidr", "Cidr: unknown member"),
            ("sagemaker", "DescribeEndpoint", b'{"', b'{"Nome":1,"', "Nome: unknown member"),
            ("rds-data", "ExecuteStatement", b'"sql"', b'"SQL"', "sql: missing"),
            ("s3", "PutBucketTagging", b"<Key>k</Key>", b"<Kay>k</Kay>", "Kay: unknown member"),
            ("s3", "PutBucketTagging", b"<Key>k</Key>", b"", "Key: missing"),
            # Enum, pattern, length, range, type.
            ("ec2", "CreateVpc", b"ResourceType=vpc", b"ResourceType=vpn", "'vpn' is none of"),
            ("iam", "CreateRole", b"RoleName=r", b"RoleName=r%2Fs", "does not match"),
            ("iam", "CreateRole", b"RoleName=r", b"RoleName=" + b"r" * 65, "length 65"),
            ("iam", "CreateRole", b"Value=v+w", b"Value=v%00w", "does not match"),
            ("sagemaker", "DescribeEndpoint", b'"churn"', b'"churn_1"', "does not match"),
            ("sagemaker", "DescribeEndpoint", b'"churn"', b"7", "int instead of string"),
            ("rds", "DescribeDBClusterParameterGroups", b"MaxRecords=20", b"MaxRecords=many", "is no integer"),
            ("iam", "CreateRole", b"RoleName=r", b"RoleName=r&MaxSessionDuration=60", "value 60"),
        ]:
            with self.subTest(what=what, name=name):
                self.assert_notices(service, name, old, new, what)

    def test_addresses(self) -> None:
        broken = exchange("s3", "ListObjectsV2")
        broken.query += "&colour=red"
        self.assertIn("request of s3:ListObjectsV2: colour: unknown member", found(broken))

    def test_answers(self) -> None:
        for service, name, old, new, what in [
            ("rds", "DescribeDBClusterParameterGroups", b"Description>", b"Text>", "Text: unknown member"),
            ("rds", "DescribeDBClusterParameterGroups", b"DBClusterParameterGroup>", b"member>", "in a list of"),
            ("rds", "AddTagsToResource", b"AddTagsToResourceResponse>", b"Response>", "instead of"),
            ("iam", "CreateRole", b"<Path>/</Path>", b"", "Role.Path: missing"),
            ("iam", "CreateRole", b"2026-11-20", b"yesterday-", "is no timestamp"),
            ("ec2", "CreateVpc", b"available", b"ready", "'ready' is none of"),
            ("ec2", "CreateVpc", b"vpcId", b"VpcId", "VpcId: unknown member"),
            ("sagemaker", "DescribeEndpoint", b"InService", b"Ready", "'Ready' is none of"),
            ("sagemaker", "DescribeEndpoint", b'"CreationTime":1.5,', b"", "CreationTime: missing"),
            ("sagemaker", "DescribeEndpoint", b"{", b"", "not JSON"),
            ("s3", "ListObjectsV2", b"<Size>1</Size>", b"<Size>big</Size>", "is no long"),
        ]:
            with self.subTest(what=what, name=name):
                self.assert_notices(service, name, old, new, what, "answer")

    def test_refusals(self) -> None:
        refused = exchange("rds", "AddTagsToResource")
        refused.status = 404
        refused.answer = b"<ErrorResponse><Error><Code>DBClusterNotFoundFault</Code></Error></ErrorResponse>"
        self.assertEqual(found(refused), [])
        refused.answer = refused.answer.replace(b"DBClusterNotFoundFault", b"NoSuchBucket")
        self.assertEqual(
            found(refused), ["answer of rds:AddTagsToResource: NoSuchBucket is no error of this operation"]
        )

    def test_a_test_may_send_what_is_refused(self) -> None:
        broken = exchange("iam", "CreateRole")
        broken.body = broken.body.replace(b"RoleName=r", b"RoleName=" + b"r" * 65)
        broken.who = "other"
        self.assertEqual(len(found(broken)), 1, "accepted")
        broken.status = 400
        broken.answer = b"<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>"
        self.assertEqual(found(broken), [])

    def test_the_calls_of_the_tool_are_found_in_its_source(self) -> None:
        with TemporaryDirectory() as folder:
            (Path(folder) / "kind.rs").write_text(
                "aws.rds.enable_http_endpoint().send(); look.aws\n  .ec2\n  .create_vpc()"
            )
            self.assertEqual(called(Path(folder)), {("rds", "EnableHttpEndpoint"), ("ec2", "CreateVpc")})

    def test_every_exception_has_a_place(self) -> None:
        for known in OTHERWISE:
            self.assertRegex(known, r"^(answer|request) of ")


if __name__ == "__main__":
    unittest.main()
