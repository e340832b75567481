"""What tests/aws/run.sh does without auroraml: a cluster of somebody else, and the audit.

usage: other.py make|remove|audit <name> <region>
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

WAIT_SECONDS = 40 * 60


def until(what: str, done: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {WAIT_SECONDS // 60} minutes")
        time.sleep(5)


def gone(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether there is nothing of this name; any other refusal is told."""
    try:
        call(**arguments)
        return False
    except ClientError as error:
        if "NotFound" in error.response["Error"]["Code"]:
            return True
        raise


class Other:
    def __init__(self, name: str, region: str) -> None:
        self.name, self.region = name, region
        self.ec2, self.rds, self.iam, self.secrets = (
            boto3.client(service, region_name=region) for service in ("ec2", "rds", "iam", "secretsmanager")
        )
        self.ours = [{"Name": "tag:judge", "Values": [name]}]

    def make(self) -> None:
        def tagged(kind: str) -> list[dict[str, Any]]:
            return [{"ResourceType": kind, "Tags": [{"Key": "judge", "Value": self.name}]}]

        vpc = self.ec2.create_vpc(CidrBlock="10.77.0.0/24", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
        until("VPC", lambda: self.ec2.describe_vpcs(Filters=self.ours)["Vpcs"][0]["State"] == "available")
        zones = self.zones()
        subnets = [
            self.ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.77.0.{64 * n}/26", AvailabilityZone=zone, TagSpecifications=tagged("subnet")
            )["Subnet"]["SubnetId"]
            for n, zone in enumerate(zones[:2])
        ]
        until("subnets", lambda: len(self.ec2.describe_subnets(Filters=self.ours)["Subnets"]) == 2)
        self.rds.create_db_subnet_group(
            DBSubnetGroupName=self.name, DBSubnetGroupDescription="judge", SubnetIds=subnets
        )
        self.rds.create_db_cluster(
            DBClusterIdentifier=self.name, Engine="aurora-mysql", MasterUsername="admin", DBSubnetGroupName=self.name,
            MasterUserPassword=secrets.token_hex(16), StorageEncrypted=True,
        )  # fmt: skip
        until("cluster", lambda: self.cluster()["Status"] == "available")
        self.rds.create_db_instance(
            DBInstanceIdentifier=f"{self.name}-1", DBClusterIdentifier=self.name, Engine="aurora-mysql",
            DBInstanceClass="db.t4g.medium",
        )  # fmt: skip
        until("instance", lambda: self.instance() == "available" and self.cluster()["Status"] == "available")

    def zones(self) -> list[str]:
        """Zones that offer the class; not every zone does."""
        pages = self.rds.get_paginator("describe_orderable_db_instance_options").paginate(
            Engine="aurora-mysql", DBInstanceClass="db.t4g.medium"
        )
        options = [option for page in pages for option in page["OrderableDBInstanceOptions"]]
        return sorted({zone["Name"] for option in options for zone in option["AvailabilityZones"]})

    def cluster(self) -> dict[str, Any]:
        return self.rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0]

    def instance(self) -> str:
        return self.rds.describe_db_instances(DBInstanceIdentifier=f"{self.name}-1")["DBInstances"][0][
            "DBInstanceStatus"
        ]

    def remove(self) -> None:
        """Removes all that `make` may have made, however far it came."""
        instance = {"DBInstanceIdentifier": f"{self.name}-1"}
        cluster = {"DBClusterIdentifier": self.name}
        if not gone(self.rds.describe_db_instances, **instance):
            self.rds.delete_db_instance(**instance, SkipFinalSnapshot=True)
            until("deletion of the instance", lambda: gone(self.rds.describe_db_instances, **instance))
        if not gone(self.rds.describe_db_clusters, **cluster):
            self.rds.delete_db_cluster(**cluster, SkipFinalSnapshot=True)
            until("deletion of the cluster", lambda: gone(self.rds.describe_db_clusters, **cluster))
        if not gone(self.rds.describe_db_subnet_groups, DBSubnetGroupName=self.name):
            self.rds.delete_db_subnet_group(DBSubnetGroupName=self.name)
        for subnet in self.ec2.describe_subnets(Filters=self.ours)["Subnets"]:
            until(
                "deletion of a subnet",
                lambda subnet=subnet: self.freed(self.ec2.delete_subnet, SubnetId=subnet["SubnetId"]),
            )
        for vpc in self.ec2.describe_vpcs(Filters=self.ours)["Vpcs"]:
            until("deletion of the VPC", lambda vpc=vpc: self.freed(self.ec2.delete_vpc, VpcId=vpc["VpcId"]))

    @staticmethod
    def freed(call: Callable[..., Any], **arguments: Any) -> bool:
        """Network interfaces of RDS outlive its clusters by minutes."""
        try:
            call(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "DependencyViolation":
                raise
            return False
        return True

    def audit(self) -> None:
        """Nothing of the stack is left, by its tag and by its names."""
        ours = [{"Name": "tag:auroraml:stack", "Values": [self.name]}]
        left: list[str] = []
        for key, call in [
            ("Vpcs", self.ec2.describe_vpcs),
            ("Subnets", self.ec2.describe_subnets),
            ("SecurityGroups", self.ec2.describe_security_groups),
            ("RouteTables", self.ec2.describe_route_tables),
            ("VpcEndpoints", self.ec2.describe_vpc_endpoints),
            ("Addresses", self.ec2.describe_addresses),
        ]:
            left += [f"{key}: {one}" for one in call(Filters=ours)[key] if one.get("State") != "deleted"]
        tag = {"Key": "auroraml:stack", "Value": self.name}
        left += [
            one["DBClusterIdentifier"] for one in self.rds.describe_db_clusters()["DBClusters"] if tag in one["TagList"]
        ]
        for key, name, call in [
            ("DBSubnetGroups", "DBSubnetGroupName", self.rds.describe_db_subnet_groups),
            ("DBClusterParameterGroups", "DBClusterParameterGroupName", self.rds.describe_db_cluster_parameter_groups),
        ]:
            left += [one[name] for one in call()[key] if one[name].startswith(self.name)]
        left += [one["Arn"] for one in self.iam.list_roles(PathPrefix=f"/auroraml/{self.name}/")["Roles"]]
        left += [one["Name"] for one in self.secrets.list_secrets()["SecretList"] if tag in one.get("Tags", [])]
        if left:
            raise SystemExit("left behind:\n  " + "\n  ".join(left))
        print(f"audit: nothing of {self.name} is left", flush=True)


if __name__ == "__main__":
    getattr(Other(sys.argv[2], sys.argv[3]), {"make": "make", "remove": "remove", "audit": "audit"}[sys.argv[1]])()
