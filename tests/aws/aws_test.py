"""Do the recorder and the comparison notice? And does nothing of an account get into a recording?"""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.serialize import create_serializer
from compare import Behaviour, compare
from scrub import Scrubber

sys.path.insert(0, str(Path(__file__).parent.parent / "clients"))

from wire import Exchange, model  # noqa: E402

CANARY = "c4nary-111122223333"
OPERATIONS = [
    ("rds", "CreateDBCluster"), ("rds", "DescribeDBClusters"), ("rds", "DescribeDBInstances"), ("iam", "GetRole"),
    ("iam", "PutRolePolicy"), ("ec2", "DescribeVpcs"), ("sagemaker", "CreateModel"), ("s3", "PutBucketTagging"),
    ("sagemaker", "DescribeNotebookInstance"), ("secretsmanager", "GetSecretValue"), ("rds-data", "ExecuteStatement"),
    ("secretsmanager", "PutSecretValue"), ("secretsmanager", "GetRandomPassword"), ("sts", "GetCallerIdentity"),
]  # fmt: skip


def filled(shape: Shape, depth: int = 0) -> Any:
    """A value in which every text, number and key is the canary's."""
    if isinstance(shape, StructureShape):
        return {} if depth > 4 else {name: filled(member, depth + 1) for name, member in shape.members.items()}
    if isinstance(shape, ListShape):
        return [filled(shape.member, depth + 1)]
    if isinstance(shape, MapShape):
        return {CANARY: filled(shape.value, depth + 1)}
    return {"boolean": True, "timestamp": "2026-11-20T00:00:00Z", "blob": CANARY.encode()}.get(
        shape.type_name, CANARY if shape.type_name in ("string", "character") else 111122223333
    )


def exchange(service: str, name: str) -> Exchange:
    operation = model(service).operation_model(name)
    serializer = create_serializer(model(service).protocol, include_validation=False)
    raw = serializer.serialize_to_request(filled(operation.input_shape) if operation.input_shape else {}, operation)
    body = urlencode(raw["body"]) if isinstance(raw["body"], dict) else raw["body"]
    answer = json.dumps({"SecretString": CANARY, "ARN": CANARY, "RandomPassword": CANARY, "Unknown": CANARY}).encode()
    if model(service).protocol in ("query", "ec2", "rest-xml"):
        inside = (
            f"<DBClusters><DBCluster><Status>{CANARY}</Status><{CANARY}>{CANARY}</{CANARY}></DBCluster></DBClusters>"
        )
        answer = f"<{name}Response><{name}Result>{inside}</{name}Result></{name}Response>".encode()
    path, _, query = raw["url_path"].partition("?")
    headers = {key.lower(): str(value) for key, value in raw["headers"].items()} | {"authorization": CANARY}
    return Exchange(service, raw["method"], path, query + "&" + urlencode(raw["query_string"]), headers,
                    body.encode() if isinstance(body, str) else body, 200, {"x-amz-id-2": CANARY}, answer, CANARY)  # fmt: skip


class TheRecorder(unittest.TestCase):
    def test_nothing_of_an_account_is_kept(self) -> None:
        scrubber, lines = Scrubber(), []
        for service, name in OPERATIONS:
            sent = exchange(service, name)
            for status, answer in [(200, sent.answer), (400, refusal(service))]:
                sent.status, sent.answer = status, answer
                line = scrubber.line(sent)
                self.assertIsNotNone(line, name)
                lines.append(json.dumps(line))
        text = "\n".join(lines)
        self.assertNotIn("c4nary", text.lower())
        self.assertNotIn("111122223333", text)
        # What is to be kept is: members and objects, or the canary would prove nothing.
        self.assertIn('"MasterUserPassword": "string"', text)
        self.assertIn('"DBClusterIdentifier": "#', text)

    def test_words_of_status_are_kept(self) -> None:
        sent = exchange("rds", "DescribeDBClusters")
        sent.answer = sent.answer.replace(f"<Status>{CANARY}".encode(), b"<Status>available")
        self.assertIn('"Status": "=available"', json.dumps(Scrubber().line(sent)))


def refusal(service: str) -> bytes:
    if model(service).protocol in ("query", "ec2", "rest-xml"):
        return f"<E><Error><Code>{CANARY}</Code><Message>{CANARY}</Message></Error></E>".encode()
    return json.dumps({"__type": CANARY, "message": CANARY}).encode()


def cluster(second: float, status: str, **more: str) -> dict[str, Any]:
    members = {"DBClusterIdentifier": "#1", "Status": f"={status}"} | more
    return {"second": second, "operation": "rds:DescribeDBClusters", "status": 200, "answer": {"DBClusters": [members]}}


LIFE = [cluster(0, "creating"), cluster(300, "available"), cluster(900, "deleting")]


class TheComparison(unittest.TestCase):
    def told(self, aws: list[dict[str, Any]], sandbox: list[dict[str, Any]]) -> list[str]:
        sides = Behaviour(), Behaviour()
        for side, lines in zip(sides, (aws, sandbox)):
            side.read(lines)
        return compare(*sides)

    def test_what_is_alike_is_not_told(self) -> None:
        self.assertEqual(self.told(LIFE, LIFE), [])

    def test_differences_are_told(self) -> None:
        refused = {"second": 1, "operation": "rds:DescribeDBClusters", "status": 404, "code": "DBClusterNotFoundFault"}
        for what, aws in [
            ("refuses with DBClusterNotFoundFault", [*LIFE, refused]),
            ("from creating to backing-up", [LIFE[0], cluster(200, "backing-up"), *LIFE[1:]]),
            ("creating for 3000 s at AWS, 300 s", [LIFE[0], cluster(3000, "available"), cluster(3600, "deleting")]),
            ("Port: integer at AWS, string", [cluster(0, "creating", Port="integer"), *LIFE[1:]]),
            ("not asked of the sandbox", [*LIFE, refused | {"operation": "rds:DescribeEvents"}]),
        ]:
            with self.subTest(what=what):
                sandbox = [cluster(0, "creating", Port="string"), *LIFE[1:]] if "Port" in what else LIFE
                told = self.told(aws, sandbox)
                self.assertTrue(any(what in line for line in told), told)


if __name__ == "__main__":
    unittest.main()
