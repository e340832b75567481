"""moto's server, with what it lacks of AWS's behaviour and this tool needs.

usage: moto_server.py <port>

moto is a judge: nobody of this project wrote it. Each patch below says what AWS does and where that is written; nothing
is patched to please the tool. What moto simply has not got (statuses that take time, pending-reboot, throttling)
stays as it is: that is the sandbox's business.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.rds.exceptions import RDSClientError
from moto.rds.models import AssociatedRole, DBCluster, RDSBackend
from moto.rds.responses import RDSResponse
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse
from moto.server import main

PATCHES: list[str] = []


def patch(owner: type, name: str | None = None) -> Callable[[Any], Any]:
    """Puts a method into one of moto's classes. Fails when moto has got it meanwhile and no name says "replace"."""

    def put(method: Any) -> Any:
        if name is None and hasattr(owner, method.__name__):
            raise SystemExit(f"moto has {owner.__name__}.{method.__name__} now: remove the patch")
        setattr(owner, name or method.__name__, method)
        PATCHES.append(f"{owner.__name__}.{name or method.__name__}")
        return method

    return put


# ---- what moto has not got ------------------------------------------------------------------------------------------


@patch(RDSResponse)
def describe_db_engine_versions(self: RDSResponse) -> ActionResult:
    """API_DescribeDBEngineVersions: the versions of an engine, each with its parameter group family. Two of Aurora MySQL
    3, as "Release notes for Aurora MySQL" lists them (3.10 is a long-term support release)."""
    versions = [
        {
            "Engine": "aurora-mysql",
            "EngineVersion": version,
            "DBParameterGroupFamily": "aurora-mysql8.0",
            "Status": "available",
            "SupportedEngineModes": ["provisioned"],
            "SupportsGlobalDatabases": True,
        }
        for version in ("8.0.mysql_aurora.3.08.2", "8.0.mysql_aurora.3.10.1")
    ]
    wanted = self.params.get("Engine"), self.params.get("EngineVersion")
    found = [
        version
        for version in versions
        if wanted[0] in (None, version["Engine"]) and (wanted[1] or "") in version["EngineVersion"]
    ]
    return ActionResult({"DBEngineVersions": found})


@patch(RDSBackend, "describe_orderable_db_instance_options")
def describe_orderable(self: RDSBackend, engine: str, engine_version: str) -> list[dict[str, Any]]:
    """API_DescribeOrderableDBInstanceOptions answers for every engine; moto has the lists of two only. Classes from
    "Supported DB engines for DB instance classes" of the Aurora user guide."""
    zones = [{"Name": f"{self.region_name}{letter}"} for letter in "abc"]
    return [
        {
            "Engine": engine,
            "EngineVersion": engine_version or "8.0.mysql_aurora.3.10.1",
            "DBInstanceClass": size,
            "AvailabilityZones": zones,
            "Vpc": True,
            "SupportsStorageEncryption": True,
            "StorageType": "aurora",
        }
        for size in ("db.t4g.medium", "db.r6g.large", "db.r6g.xlarge")
    ]


@patch(RDSResponse)
def reset_db_cluster_parameter_group(self: RDSResponse) -> ActionResult:
    """API_ResetDBClusterParameterGroup: the named parameters, or all of them, have their defaults again."""
    group = self.backend.describe_db_cluster_parameter_groups(self.params["DBClusterParameterGroupName"])[0]
    names = [parameter["ParameterName"] for parameter in self.params.get("Parameters", [])]
    for name in list(group.parameters) if self.params.get("ResetAllParameters") else names:
        group.parameters.pop(name, None)
    return ActionResult({"DBClusterParameterGroupName": group.name})


@patch(RDSResponse)
def remove_role_from_db_cluster(self: RDSResponse) -> ActionResult:
    """API_RemoveRoleFromDBCluster; DBClusterRoleNotFound is among its errors."""
    cluster = self.backend.describe_db_clusters(self.params["DBClusterIdentifier"])[0]
    left = [role for role in cluster._associated_roles if role.role_arn != self.params["RoleArn"]]
    if len(left) == len(cluster._associated_roles):
        raise RDSClientError("DBClusterRoleNotFound", "The specified IAM role is not associated with the cluster")
    cluster._associated_roles = left
    return EmptyResult()


@patch(RDSResponse)
def enable_http_endpoint(self: RDSResponse) -> ActionResult:
    """API_EnableHttpEndpoint: the Data API of a provisioned cluster. moto has it for old serverless versions only."""
    return set_http_endpoint(self, True)


@patch(RDSResponse)
def disable_http_endpoint(self: RDSResponse) -> ActionResult:
    """API_DisableHttpEndpoint."""
    return set_http_endpoint(self, False)


def set_http_endpoint(self: RDSResponse, enabled: bool) -> ActionResult:
    arn = self.params["ResourceArn"]
    self.backend.describe_db_clusters(arn.rsplit(":", 1)[1])[0]._enable_http_endpoint = enabled
    return ActionResult({"ResourceArn": arn, "HttpEndpointEnabled": enabled})


@patch(SageMakerResponse)
def update_notebook_instance(self: SageMakerResponse) -> ActionResult:
    """API_UpdateNotebookInstance: "the notebook instance must be stopped"."""
    notebook = self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
    if notebook.status != "Stopped":
        raise ValidationError(message=f"Status ({notebook.status}) not in ([Stopped]). Unable to transition")
    for attribute, name in (("instance_type", "InstanceType"), ("volume_size_in_gb", "VolumeSizeInGB"),
                            ("role_arn", "RoleArn"), ("lifecycle_config_name", "LifecycleConfigName")):  # fmt: skip
        setattr(notebook, attribute, self._get_param(name) or getattr(notebook, attribute))
    notebook.shown_too |= {name: value for name in SHOWN_TOO if (value := self._get_param(name)) is not None}
    return EmptyResult()


# ---- what moto does otherwise ---------------------------------------------------------------------------------------


# Of "Aurora MySQL configuration parameters" of the Aurora user guide and its sample in "Working with parameter groups":
# all of these are dynamic.
DYNAMIC = ("aws_default_comprehend_role", "aws_default_s3_role", "aws_default_sagemaker_role", "character_set_database",
           "time_zone")  # fmt: skip


@patch(RDSResponse, "describe_db_cluster_parameters")
def describe_parameters(self: RDSResponse) -> ActionResult:
    """API_DescribeDBClusterParameters: all parameters of the family, set or not, each with its ApplyType, whether it
    can be changed, and whether the engine or a user has set it. moto has only what was set, as it was sent."""
    group = self.backend.describe_db_cluster_parameter_groups(self.params["DBClusterParameterGroupName"])[0]
    parameters = [
        {
            "ParameterName": name,
            "ApplyType": "dynamic",
            "IsModifiable": True,
            "DataType": "string",
            "ApplyMethod": "pending-reboot",
        }
        | ({"Source": "user"} if group.parameters.get(name) else {"Source": "engine-default"})
        | dict(group.parameters.get(name, {}))
        for name in sorted({*DYNAMIC, *group.parameters})
    ]
    source = self.params.get("Source")
    return ActionResult({"Parameters": [one for one in parameters if source in (None, one["Source"])]})


@patch(RDSBackend, "add_role_to_db_cluster")
def add_role(self: RDSBackend, db_cluster_identifier: str, role_arn: str, feature_name: str | None) -> None:
    """moto refuses a second role without a feature. Aurora MySQL's roles have none, and a cluster has several: "Setting
    up IAM roles to access AWS services" of the Aurora user guide."""
    cluster = self.describe_db_clusters(db_cluster_identifier)[0]
    if any(role.role_arn == role_arn for role in cluster._associated_roles):
        raise RDSClientError("DBClusterRoleAlreadyExists", "The specified IAM role is already associated")
    cluster._associated_roles.append(AssociatedRole(role_arn=role_arn, feature_name=feature_name))


def keep_http_endpoint(self: DBCluster, enabled: bool | None) -> None:
    """API_CreateDBCluster, EnableHttpEndpoint: the Data API of a provisioned cluster can be on from the beginning. moto
    switches it off again for all but old serverless versions."""
    self._enable_http_endpoint = bool(enabled)


patch(DBCluster, "enable_http_endpoint")(DBCluster.enable_http_endpoint.setter(keep_http_endpoint))
plain_allocated_storage = DBCluster.default_allocated_storage


@patch(DBCluster, "default_storage_type")
@staticmethod
def storage_type(iops: Any) -> str:
    """API_CreateDBCluster, StorageType: the default of an Aurora cluster is "aurora". moto gives it the default of an
    instance that is not Aurora's, gp2, which no Aurora cluster can have."""
    return "aurora" if iops is None else "io1"


@patch(DBCluster, "default_allocated_storage")
@staticmethod
def allocated_storage(engine: str, storage_type: str) -> int:
    """moto does not know the storage types of Aurora, whose volume grows by itself: API_DBCluster, AllocatedStorage,
    "always returns 1"."""
    return 1 if storage_type.startswith("aurora") else plain_allocated_storage(engine, storage_type)


@patch(S3Response, "get_bucket_versioning")
def bucket_versioning(self: S3Response) -> tuple[int, dict[str, str], str]:
    """API_GetBucketVersioning: the answer's root is VersioningConfiguration, which AWS's own SDKs insist on; without a
    status where versioning was never set. moto's root is the name of the shape."""
    status = self.backend.get_bucket_versioning(self.bucket_name)
    inside = f"<Status>{status}</Status>" if status else ""
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return 200, {}, f'<VersioningConfiguration xmlns="{namespace}">{inside}</VersioningConfiguration>'


plain_bucket_put = S3Response._bucket_response_put


@patch(S3Response, "_bucket_response_put")
def create_bucket(self: S3Response, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
    """API_CreateBucket: CreateBucketConfiguration has Tags, which a bucket then has from the beginning. moto drops
    them."""
    answer = plain_bucket_put(self, request, bucket_name, querystring)
    root = ElementTree.fromstring(self.body) if self.body and not querystring else None
    if root is not None and root.tag.endswith("CreateBucketConfiguration"):
        tags = {tag.findtext("{*}Key", ""): tag.findtext("{*}Value", "") for tag in root.iterfind("{*}Tags/{*}Tag")}
        self.backend.put_bucket_tagging(bucket_name, tags)
    return answer


@patch(FakeBucket, "get_permission")
def permission(self: FakeBucket, action: str, resource: str) -> Any:
    """A statement whose condition does not hold has no effect ("Policy evaluation logic" of the IAM user guide). moto
    hands no condition values to bucket policies, and a Deny for plain HTTP (aws:SecureTransport) would refuse
    everything: this server stands for addresses of AWS, which are reached by TLS."""
    policy = json.loads(self.policy or b'{"Statement": []}')
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    kept = [statement for statement in policy["Statement"] if statement.get("Condition") != insecure]
    if not kept:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps(policy | {"Statement": kept})).is_action_permitted(action, resource)


# Members of CreateNotebookInstance that DescribeNotebookInstance shows as they were given (both in the API reference).
SHOWN_TOO = ("PlatformIdentifier", "InstanceMetadataServiceConfiguration", "IpAddressType")
plain_create_notebook = SageMakerResponse.create_notebook_instance


@patch(SageMakerResponse, "create_notebook_instance")
def create_notebook(self: SageMakerResponse) -> ActionResult:
    """moto drops the platform and the version of the metadata service."""
    answer = plain_create_notebook(self)
    notebook = self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
    notebook.shown_too = {name: value for name in SHOWN_TOO if (value := self._get_param(name)) is not None}
    return answer


@patch(SageMakerResponse, "describe_notebook_instance")
def describe_notebook(self: SageMakerResponse) -> ActionResult:
    notebook = self.sagemaker_backend.get_notebook_instance(self._get_param("NotebookInstanceName"))
    return ActionResult(notebook.to_dict() | notebook.shown_too)


if __name__ == "__main__":
    print("\n".join(PATCHES), flush=True)
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
