"""The whole life of the churn stack on moto: create, an empty plan, one change, an empty plan, destroy.

usage: moto_life.py <auroraml> <spec>

What is there is looked up with boto3, not with the tool under test, and counted as facts.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

HERE = Path(__file__).parent
REGION, ACCOUNT = "us-east-1", "123456789012"
ARTIFACT = ("sagemaker-sample-files", "models/churn/model.tar.gz")
OLD, NEW = "character_set_database: utf8mb4", "character_set_database: utf8mb4\n    time_zone: UTC"
# Seconds that one command may take: an emulator answers at once.
LIMIT = 240


def environment(endpoint: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIDMOTO",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "none",
        "AWS_SHARED_CREDENTIALS_FILE": "none",
        "NO_PROXY": "127.0.0.1",
        # Without it moto lacks the policies of AWS that roles may have attached.
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    }


@contextmanager
def moto(folder: Path, script: str = "moto_server.py") -> Iterator[str]:
    """moto's server with our patches, for as long as the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    with (folder / "moto.log").open("w") as log:
        command = [sys.executable, str(HERE / script), str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment(endpoint))
        try:
            for _ in range(120):
                if server.poll() is not None:
                    break
                try:
                    client("sts", endpoint).get_caller_identity()
                    yield endpoint
                    return
                except EndpointConnectionError:
                    time.sleep(0.5)
            raise SystemExit(f"moto does not start: {(folder / 'moto.log').read_text()[-2000:]}")
        finally:
            # It does not end on SIGTERM while connections are open, and has nothing to save.
            server.kill()
            server.wait()


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="AKIDMOTO",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60),
    )


class Facts:
    """What is true of the account, one line each."""

    def __init__(self, endpoint: str) -> None:
        self.clients = {
            name: client(name, endpoint) for name in ("ec2", "iam", "rds", "s3", "sagemaker", "secretsmanager")
        }
        self.wrong: list[str] = []
        self.right = 0

    def __getattr__(self, service: str) -> Any:
        return self.clients[service]

    def equal(self, what: str, got: Any, expected: Any) -> None:
        if got == expected:
            self.right += 1
        else:
            self.wrong.append(f"{what}: expected {expected!r}, got {got!r}")

    def refused(self, what: str, code: str, call: Any, **arguments: Any) -> None:
        try:
            got = str(call(**arguments))[:200]
        except ClientError as error:
            got = error.response["Error"]["Code"]
        self.equal(what, got, code)

    def done(self, when: str) -> None:
        print(f"moto: {self.right} facts {when}, {len(self.wrong)} wrong", flush=True)
        if self.wrong:
            raise SystemExit("\n".join(self.wrong))
        self.right = 0

    def of_the_stack(self, changed: bool) -> None:
        ours = [{"Name": "tag:auroraml:stack", "Values": ["churn"]}]
        ec2, rds, sagemaker = self.ec2, self.rds, self.sagemaker
        vpc = ec2.describe_vpcs(Filters=ours)["Vpcs"]
        self.equal("VPC", [one["CidrBlock"] for one in vpc], ["10.192.0.0/16"])
        subnets = ec2.describe_subnets(Filters=ours)["Subnets"]
        blocks = ["10.192.10.0/24", "10.192.20.0/24", "10.192.21.0/24"]
        self.equal("subnets", sorted(one["CidrBlock"] for one in subnets), blocks)
        self.equal("zones of the private subnets", len({one["AvailabilityZone"] for one in subnets}), 2)
        self.equal("internet gateway", len(ec2.describe_internet_gateways(Filters=ours)["InternetGateways"]), 1)
        gateways = ec2.describe_nat_gateways(Filters=ours)["NatGateways"]
        self.equal("NAT gateway", [one["State"] for one in gateways], ["available"])
        self.equal("address", len(ec2.describe_addresses(Filters=ours)["Addresses"]), 1)
        tables = ec2.describe_route_tables(Filters=ours)["RouteTables"]
        ways = [
            route for table in tables for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"
        ]
        self.equal("route tables", len(tables), 2)
        self.equal("ways out", sorted("nat" if "NatGatewayId" in way else "igw" for way in ways), ["igw", "nat"])
        endpoints = ec2.describe_vpc_endpoints(Filters=ours)["VpcEndpoints"]
        self.equal("VPC endpoint", [one["ServiceName"] for one in endpoints], [f"com.amazonaws.{REGION}.s3"])
        self.equal("security groups", len(ec2.describe_security_groups(Filters=ours)["SecurityGroups"]), 2)

        roles = [role for role in self.iam.list_roles(PathPrefix=f"/auroraml/churn/{REGION}/")["Roles"]]
        names = {role["RoleName"].removeprefix(f"churn-{REGION}-") for role in roles}
        self.equal("roles", names, {"sagemaker", "comprehend", "s3", "model", "notebook"})
        for role in roles:
            tags = {tag["Key"] for tag in self.iam.list_role_tags(RoleName=role["RoleName"])["Tags"]}
            self.equal(f"tags of {role['RoleName']}", "auroraml:stack" in tags, True)

        cluster = rds.describe_db_clusters()["DBClusters"][0]
        self.equal("cluster", (cluster["DBClusterIdentifier"], cluster["Status"]), ("churn", "available"))
        self.equal("encrypted", cluster["StorageEncrypted"], True)
        self.equal("Data API", cluster["HttpEndpointEnabled"], True)
        self.equal("associated roles", len(cluster["AssociatedRoles"]), 3)
        self.equal("members", [member["IsClusterWriter"] for member in cluster["DBClusterMembers"]], [True])
        instance = rds.describe_db_instances()["DBInstances"][0]
        self.equal("class", (instance["DBInstanceClass"], instance["DBInstanceStatus"]), ("db.r6g.large", "available"))
        self.equal("not public", instance["PubliclyAccessible"], False)
        groups = rds.describe_db_subnet_groups()["DBSubnetGroups"]
        self.equal("subnet group", [len(group["Subnets"]) for group in groups], [2])
        group = cluster["DBClusterParameterGroup"]
        found = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=group)["Parameters"]
        values = {one["ParameterName"]: one.get("ParameterValue") for one in found if one.get("ParameterValue")}
        role = f"arn:aws:iam::{ACCOUNT}:role/auroraml/churn/{REGION}/churn-{REGION}-"
        self.equal("SageMaker's role", values.get("aws_default_sagemaker_role"), role + "sagemaker")
        self.equal("Comprehend's role", values.get("aws_default_comprehend_role"), role + "comprehend")
        self.equal("character set", values.get("character_set_database"), "utf8mb4")
        if changed:
            self.equal("the change", values.get("time_zone"), "UTC")
        secrets = self.secretsmanager.list_secrets()["SecretList"]
        self.equal("secret", len(secrets), 1)
        self.equal("its tag", {"Key": "auroraml:stack", "Value": "churn"} in secrets[0]["Tags"], True)

        buckets = [one["Name"] for one in self.s3.list_buckets()["Buckets"] if one["Name"] != ARTIFACT[0]]
        self.equal("bucket", len(buckets), 1)
        objects = self.s3.list_objects_v2(Bucket=buckets[0])["Contents"]
        self.equal("notebook files", len(objects), 5)
        self.equal(
            "no public access",
            "PublicAccessBlockConfiguration" in self.s3.get_public_access_block(Bucket=buckets[0]),
            True,
        )
        notebook = sagemaker.list_notebook_instances()["NotebookInstances"]
        self.equal("notebook", [one["NotebookInstanceStatus"] for one in notebook], ["InService"])
        self.equal("model", len(sagemaker.list_models()["Models"]), 1)
        self.equal("endpoint configuration", len(sagemaker.list_endpoint_configs()["EndpointConfigs"]), 1)
        endpoint = sagemaker.list_endpoints()["Endpoints"]
        self.equal(
            "endpoint", [(one["EndpointName"], one["EndpointStatus"]) for one in endpoint], [("churn", "InService")]
        )

    def of_nothing(self) -> None:
        ours = [{"Name": "tag:auroraml:stack", "Values": ["churn"]}]
        for what, key, call in [
            ("VPCs", "Vpcs", self.ec2.describe_vpcs),
            ("subnets", "Subnets", self.ec2.describe_subnets),
            ("internet gateways", "InternetGateways", self.ec2.describe_internet_gateways),
            ("addresses", "Addresses", self.ec2.describe_addresses),
            ("route tables", "RouteTables", self.ec2.describe_route_tables),
            ("security groups", "SecurityGroups", self.ec2.describe_security_groups),
        ]:
            self.equal(what, call(Filters=ours)[key], [])
        gateways = self.ec2.describe_nat_gateways(Filters=ours)["NatGateways"]
        self.equal("NAT gateways", [one for one in gateways if one["State"] != "deleted"], [])
        ways = self.ec2.describe_vpc_endpoints(Filters=ours)["VpcEndpoints"]
        self.equal("VPC endpoints", [one for one in ways if one["State"] != "deleted"], [])
        self.equal("roles", self.iam.list_roles(PathPrefix="/auroraml/")["Roles"], [])
        self.equal("clusters", self.rds.describe_db_clusters()["DBClusters"], [])
        self.equal("instances", self.rds.describe_db_instances()["DBInstances"], [])
        self.equal("subnet groups", self.rds.describe_db_subnet_groups()["DBSubnetGroups"], [])
        self.equal("parameter groups", self.rds.describe_db_cluster_parameter_groups()["DBClusterParameterGroups"], [])
        self.equal("secrets", self.secretsmanager.list_secrets()["SecretList"], [])
        self.equal("buckets", [one["Name"] for one in self.s3.list_buckets()["Buckets"]], [ARTIFACT[0]])
        self.equal("notebooks", self.sagemaker.list_notebook_instances()["NotebookInstances"], [])
        self.equal("models", self.sagemaker.list_models()["Models"], [])
        self.equal("endpoint configurations", self.sagemaker.list_endpoint_configs()["EndpointConfigs"], [])
        self.equal("endpoints", self.sagemaker.list_endpoints()["Endpoints"], [])
        name = f"churn-{REGION}-model"
        self.refused("a role", "NoSuchEntity", self.iam.get_role, RoleName=name)


class Tool:
    def __init__(self, binary: str, endpoint: str, folder: Path) -> None:
        self.binary, self.endpoint, self.folder = binary, endpoint, folder

    def run(self, *arguments: str) -> str:
        """Runs the tool; all that it says. It must end well, and in time."""
        began = time.monotonic()
        shown = " ".join(arguments)
        try:
            done = subprocess.run(
                [self.binary, *arguments], env=environment(self.endpoint), capture_output=True, text=True, timeout=LIMIT
            )
        except subprocess.TimeoutExpired as late:
            raise SystemExit(
                f"auroraml {shown}: not within {LIMIT} s\n{(late.stderr or b'').decode()[-4000:]}"
            ) from None
        print(f"moto: auroraml {arguments[0]}: {time.monotonic() - began:.1f} s", flush=True)
        if done.returncode:
            log = (self.folder / "moto.log").read_text()
            lacks = sorted(set(re.findall(r"The (\w+) action has not been implemented", log)))
            text = f"auroraml {shown}: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            raise SystemExit(f"{text}\nmoto lacks: {', '.join(lacks) or 'nothing that was asked'}")
        return done.stdout + done.stderr


def without_database(text: str) -> str:
    """The spec as far as moto goes: it has neither a database behind its clusters nor jobs that train. What they would
    make is replaced by a model that is there."""
    spec = yaml.safe_load(text)
    for section in ("tables", "unloads", "functions", "grants"):
        spec.pop(section, None)
    artifact = f"s3://{ARTIFACT[0]}/{ARTIFACT[1]}"
    for endpoint in spec["endpoints"].values():
        endpoint["model"] = {"image": "xgboost:1.7-1", "artifact": artifact}
    return yaml.safe_dump(spec, sort_keys=False)


def life(binary: str, spec: Path) -> None:
    with tempfile.TemporaryDirectory() as name, moto(Path(name)) as endpoint:
        folder, facts = Path(name), Facts(endpoint)
        tool = Tool(binary, endpoint, folder)
        facts.s3.create_bucket(Bucket=ARTIFACT[0])
        facts.s3.put_object(Bucket=ARTIFACT[0], Key=ARTIFACT[1], Body=b"a model")
        changed = folder / "changed.yaml"
        text = without_database(spec.read_text())
        for beside in ("data", "notebooks"):
            shutil.copytree(spec.parent / beside, folder / beside)
        if OLD not in text:
            raise SystemExit(f"{spec} has no {OLD!r}")
        spec_here = folder / "churn.yaml"
        spec_here.write_text(text)
        changed.write_text(text.replace(OLD, NEW))

        tool.run("apply", str(spec_here), "--yes")
        facts.of_the_stack(changed=False)
        facts.done("after create")
        # 2 would mean that there is something to do.
        tool.run("plan", str(spec_here), "--detailed-exitcode")
        tool.run("apply", str(changed), "--yes")
        facts.of_the_stack(changed=True)
        facts.done("after the change")
        tool.run("plan", str(changed), "--detailed-exitcode")
        tool.run("destroy", str(changed), "--yes")
        facts.of_nothing()
        facts.done("after destroy")
    patches = re.findall(r"^@?patch\(", (HERE / "moto_server.py").read_text(), re.M)
    print(f"moto: the whole life, with {len(patches)} patches")


if __name__ == "__main__":
    life(sys.argv[1], Path(sys.argv[2]))
