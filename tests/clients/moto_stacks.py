"""Creates every template of tests/data/export with moto's CloudFormation, and looks at what is there then.

usage: moto_stacks.py

moto resolves the functions, conditions, mappings and references, and makes the resources in the order that follows from
them: nobody of this project wrote that. Types that moto has not got are made here by moto's own services, from what moto
has resolved. Stacks within stacks moto makes, but it knows no `Outputs.NAME` of them: that is read here from the stack
that moto has made; their templates are uploaded first, as the header of the export says. What is there is looked up with boto3.

usage as a server: moto_stacks.py <port>
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import moto_life
import yaml
from moto_life import ACCOUNT, Facts, client

REGION = moto_life.REGION
HERE = Path(__file__).parent
# The physical id of a resource, and what Fn::GetAtt gives.
Created = tuple[str, dict[str, str]]
TEMPLATES = HERE.parent / "data" / "export"
# Where the templates of the specs are.
SPECS = [HERE.parent.parent / "specs", HERE.parent / "data"]
BUCKET = "templates-of-the-team"
# moto cuts what `Fn::GetAtt` names at every dot.
OUTPUT = "Outputs_"


# ---- types that moto has not got ------------------------------------------------------------------------------------


def serve(port: str) -> None:
    """moto's server with the patches of the other judge and the types below."""
    import moto_server
    from moto.cloudformation.models import Stack
    from moto.cloudwatch.models import cloudwatch_backends
    from moto.core.common_models import CloudFormationModel
    from moto.iam.models import InlinePolicy
    from moto.rds.models import DBInstance, rds_backends
    from moto.s3.models import s3_backends
    from moto.sagemaker.models import Model
    from moto.secretsmanager.models import secretsmanager_backends
    from moto.server import main

    class Made:
        """What a template made. `values`: what Fn::GetAtt gives."""

        name: str
        values: dict[str, str]

        @property
        def physical_resource_id(self) -> str:
            return self.name

        def get_cfn_attribute(self, attribute_name: str) -> str:
            # moto cuts an attribute at its first dot: Endpoint of Endpoint.Address.
            return self.values[attribute_name.split(".")[0]]

    def kind(of: str) -> Any:
        def put(make: Any) -> Any:
            def create(cls: Any, name: str, resource: Any, account_id: str, region_name: str, **_: Any) -> Any:
                made = cls()
                made.name, made.values = make(name, resource["Properties"], account_id, region_name)
                return made

            # moto finds its types among the subclasses, each in a module of moto's.
            methods = {
                "__module__": "moto.stacks.models",
                "cloudformation_type": staticmethod(lambda: of),
                "cloudformation_name_type": staticmethod(lambda: ""),
                "create_from_cloudformation_json": classmethod(create),
                "update_from_cloudformation_json": classmethod(
                    lambda cls, original_resource, *_, **__: original_resource
                ),
                "delete_from_cloudformation_json": classmethod(lambda cls, *_, **__: None),
            }
            type(CloudFormationModel)(of.replace("::", ""), (Made, CloudFormationModel), methods)
            return make

        return put

    @kind("AWS::RDS::DBClusterParameterGroup")
    def parameter_group(name: str, said: dict[str, Any], account: str, region: str) -> Created:
        name = name.lower()
        group = rds_backends[account][region].create_db_cluster_parameter_group(
            name, said["Family"], said["Description"], said.get("Tags")
        )
        for key, value in said["Parameters"].items():
            group.parameters[key] = {
                "ParameterName": key,
                "ParameterValue": str(value),
                "ApplyMethod": "pending-reboot",
            }
        return name, {}

    @kind("AWS::RDS::DBCluster")
    def cluster(_: str, said: dict[str, Any], account: str, region: str) -> Created:
        name, backend = said["DBClusterIdentifier"], rds_backends[account][region]
        secrets = secretsmanager_backends[account][region]
        resolve = lambda text: re.sub(
            r"{{resolve:secretsmanager:(.*):SecretString:(\w+)}}",
            lambda found: json.loads(secrets.get_secret_value(found[1], "", "")["SecretString"])[found[2]],
            text,
        )
        same = {
            "engine": "Engine",
            "engine_version": "EngineVersion",
            "database_name": "DatabaseName",
            "db_cluster_parameter_group_name": "DBClusterParameterGroupName",
            "vpc_security_group_ids": "VpcSecurityGroupIds",
            "port": "Port",
            "backup_retention_period": "BackupRetentionPeriod",
            "deletion_protection": "DeletionProtection",
            "storage_encrypted": "StorageEncrypted",
            "manage_master_user_password": "ManageMasterUserPassword",
            "serverless_v2_scaling_configuration": "ServerlessV2ScalingConfiguration",
            "tags": "Tags",
        }
        arguments = {ours: said[theirs] for ours, theirs in same.items() if theirs in said}
        # moto gives the group itself for its Ref.
        arguments["db_subnet_group_name"] = said["DBSubnetGroupName"].name
        arguments["master_username"] = resolve(said["MasterUsername"])
        if "MasterUserPassword" in said:
            arguments["master_user_password"] = resolve(said["MasterUserPassword"])
            assert "resolve" not in arguments["master_user_password"]
        made = backend.create_db_cluster({"db_cluster_identifier": name} | arguments)
        for role in said.get("AssociatedRoles", []):
            backend.add_role_to_db_cluster(name, role["RoleArn"], role.get("FeatureName"))
        values = {"Endpoint": made.endpoint, "ReadEndpoint": made.reader_endpoint, "DBClusterArn": made.db_cluster_arn}
        if said.get("ManageMasterUserPassword"):
            values["MasterUserSecret"] = made.master_user_secret.secret.arn
        return name, values

    plain = DBInstance.create_from_cloudformation_json.__func__

    def member(cls: Any, name: str, resource: Any, account_id: str, region_name: str, **rest: Any) -> Any:
        said = resource["Properties"]
        if "DBClusterIdentifier" not in said:
            return plain(cls, name, resource, account_id, region_name, **rest)
        arguments = {
            "db_instance_identifier": name.lower(),
            "db_cluster_identifier": said["DBClusterIdentifier"],
            "db_instance_class": said["DBInstanceClass"],
            "engine": said["Engine"],
            "promotion_tier": said["PromotionTier"],
            "tags": said.get("Tags"),
        }
        return rds_backends[account_id][region_name].create_db_instance(arguments)

    # moto makes a database that is no member of any cluster.
    DBInstance.create_from_cloudformation_json = classmethod(member)

    plain_model = Model.create_from_cloudformation_json.__func__

    def model(cls: Any, name: str, resource: Any, account_id: str, region_name: str, **rest: Any) -> Any:
        resource["Properties"].setdefault("PrimaryContainer", {})
        return plain_model(cls, name, resource, account_id, region_name, **rest)

    # moto wants one container of a model that has several ("Containers" of AWS::SageMaker::Model).
    Model.create_from_cloudformation_json = classmethod(model)

    def output(stack: Stack, attribute: str) -> str:
        found = [one["OutputValue"] for one in stack.outputs or [] if OUTPUT + one["OutputKey"] == attribute]
        assert found, f"{stack.name} has no {attribute}"
        return found[0]

    Stack.get_cfn_attribute = output

    @kind("AWS::SecretsManager::Secret")
    def secret(name: str, said: dict[str, Any], account: str, region: str) -> Created:
        text = said.get("SecretString")
        if generate := said.get("GenerateSecretString"):
            fields = json.loads(generate["SecretStringTemplate"])
            password = "x" * int(generate["PasswordLength"])
            text = json.dumps(fields | {generate["GenerateStringKey"]: password})
        made = secretsmanager_backends[account][region].create_secret(
            name, text, None, said.get("Description"), said.get("Tags"), None, None, [], False
        )
        return json.loads(made)["ARN"], {}

    @kind("AWS::SecretsManager::SecretTargetAttachment")
    def attachment(_: str, said: dict[str, Any], account: str, region: str) -> Created:
        assert said["TargetType"] == "AWS::RDS::DBCluster", said
        made = rds_backends[account][region].describe_db_clusters(said["TargetId"])[0]
        backend = secretsmanager_backends[account][region]
        fields = json.loads(backend.get_secret_value(said["SecretId"], "", "")["SecretString"])
        fields |= {"host": made.endpoint, "port": made.port, "dbClusterIdentifier": said["TargetId"]}
        backend.put_secret_value(said["SecretId"], json.dumps(fields), None, "", ["AWSCURRENT"])
        return said["SecretId"], {}

    @kind("AWS::CloudWatch::Alarm")
    def alarm(name: str, said: dict[str, Any], account: str, region: str) -> Created:
        same = {
            "namespace": "Namespace",
            "metric_name": "MetricName",
            "comparison_operator": "ComparisonOperator",
            "evaluation_periods": "EvaluationPeriods",
            "period": "Period",
            "threshold": "Threshold",
            "statistic": "Statistic",
            "description": "AlarmDescription",
        }
        arguments = {ours: said[theirs] for ours, theirs in same.items()}
        backend = cloudwatch_backends[account][region]
        made = backend.put_metric_alarm(name, dimensions=said["Dimensions"], alarm_actions=[], **arguments)
        return name, {"Arn": made.alarm_arn}

    @kind("AWS::S3::BucketPolicy")
    def bucket_policy(name: str, said: dict[str, Any], account: str, region: str) -> Created:
        # moto keeps a policy as it was sent.
        s3_backends[account]["aws"].put_bucket_policy(said["Bucket"], json.dumps(said["PolicyDocument"]).encode())
        return name, {}

    assert InlinePolicy.cloudformation_type() == "AWS::IAM::Policy"
    print("\n".join(moto_server.PATCHES), flush=True)
    main(["-H", "127.0.0.1", "-p", port])


# ---- what is there --------------------------------------------------------------------------------------------------


class Loader(yaml.SafeLoader):
    """Reads short forms as their arguments: what is counted here has none."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: f"!{suffix}")


def upload(body: str, endpoint: str) -> dict[str, str]:
    """Uploads the templates of stacks within as the header says; the parameters that it gives for them."""
    header = re.sub(r"\n#\s+", " ", body[: body.index("\nAWSTemplateFormatVersion")]).replace("TEMPLATES", BUCKET)
    s3 = client("s3", endpoint)
    for path, key in re.findall(rf"aws s3 cp (\S+) s3://{BUCKET}/([^\s,]+)", header):
        s3.create_bucket(Bucket=BUCKET)
        there = [folder / path for folder in SPECS if (folder / path).exists()]
        s3.put_object(Bucket=BUCKET, Key=key, Body=there[0].read_bytes())
    return dict(re.findall(r"\b(Stack\w+)=(\S+)", header))


def create(name: str, endpoint: str) -> None:
    body = (TEMPLATES / f"{name}.yaml").read_text().replace(".Outputs.", f".{OUTPUT}")
    template = yaml.load(body, Loader)
    formation = client("cloudformation", endpoint)
    given = {"NotebookFiles": "uploaded", "MasterUserPassword": "NobodyKnowsIt7", "VpcRange": "10.0.0.0/16"}
    given |= upload(body, endpoint)
    parameters = [
        {"ParameterKey": key, "ParameterValue": given.get(key, "s3://models/model.tar.gz")}
        for key in template.get("Parameters", {})
        if key in given or key.endswith("ModelData")
    ]
    formation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"], Parameters=parameters)
    stack = formation.describe_stacks(StackName=name)["Stacks"][0]
    facts = Facts(endpoint)
    facts.equal(f"{name}: status", stack["StackStatus"], "CREATE_COMPLETE")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    facts.equal(f"{name}: outputs", sorted(outputs), sorted(template.get("Outputs", {})))
    found = formation.describe_stack_resources(StackName=name)["StackResources"]
    facts.equal(f"{name}: resources", sorted(one["LogicalResourceId"] for one in found), sorted(template["Resources"]))
    ids = {one["LogicalResourceId"]: one.get("PhysicalResourceId") for one in found}
    kinds: dict[str, list[str]] = {}
    for key, resource in template["Resources"].items():
        kinds.setdefault(resource["Type"], []).append(key)
    network(name, facts, template, ids)
    if "AWS::RDS::DBCluster" in kinds:
        within = [formation.describe_stacks(StackName=ids[key]) for key in kinds.get("AWS::CloudFormation::Stack", [])]
        outputs = {one["OutputKey"]: one["OutputValue"] for found in within for one in found["Stacks"][0]["Outputs"]}
        database(name, facts, kinds, outputs | ids)
    for key in kinds.get("AWS::SageMaker::Endpoint", []):
        serving = facts.sagemaker.describe_endpoint(EndpointName=ids[key].rsplit("/", 1)[-1])
        config = facts.sagemaker.describe_endpoint_config(EndpointConfigName=serving["EndpointConfigName"])
        model = facts.sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
        facts.equal(
            f"{name}: {key} role", model["ExecutionRoleArn"].split(":")[:5], f"arn:aws:iam::{ACCOUNT}".split(":")
        )
        for container in model.get("Containers") or [model["PrimaryContainer"]]:
            host = container["Image"].split("/")[0]
            facts.equal(
                f"{name}: {key} image", bool(re.fullmatch(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com", host)), True
            )
    scripts(name, facts, kinds, ids)
    said = json.dumps([outputs, sorted(str(one) for one in ids.values())])
    facts.equal(f"{name}: left to resolve", re.findall(r"\$\{[^}]*\}|[\ue000-\uf8ff]", said), [])
    facts.done(f"of {name}")


def network(name: str, facts: Facts, template: dict[str, Any], ids: dict[str, str]) -> None:
    for key, resource in template["Resources"].items():
        match resource["Type"]:
            case "AWS::EC2::VPC":
                vpc = facts.ec2.describe_vpcs(VpcIds=[ids[key]])["Vpcs"][0]
                facts.equal(f"{name}: {key}", vpc["CidrBlock"], resource["Properties"]["CidrBlock"])
            case "AWS::EC2::Subnet":
                subnet = facts.ec2.describe_subnets(SubnetIds=[ids[key]])["Subnets"][0]
                facts.equal(f"{name}: {key}", subnet["CidrBlock"], resource["Properties"]["CidrBlock"])
                number = int(key[-1]) - 1
                facts.equal(f"{name}: zone of {key}", subnet["AvailabilityZone"], f"{REGION}{'abc'[number]}")
            case "AWS::EC2::RouteTable":
                table = facts.ec2.describe_route_tables(RouteTableIds=[ids[key]])["RouteTables"][0]
                count = lambda part: sum(bool(re.fullmatch(rf"{key}{part}\d", one)) for one in ids)  # noqa: B023
                # moto does not show what was associated by a template, but says with which table it was.
                tables = {value for one, value in ids.items() if one.startswith(f"{key}Association")}
                facts.equal(f"{name}: associations of {key}", tables, {ids[key]})
                out = [one for one in table["Routes"] if one.get("DestinationCidrBlock") == "0.0.0.0/0"]
                facts.equal(f"{name}: routes of {key}", len(out), count("Route"))
                ways = ["igw-" in one.get("GatewayId", "") or "nat-" in one.get("NatGatewayId", "") for one in out]
                facts.equal(f"{name}: ways out of {key}", all(ways), True)
            case "AWS::EC2::SecurityGroup":
                group = facts.ec2.describe_security_groups(GroupIds=[ids[key]])["SecurityGroups"][0]
                said = resource["Properties"]
                facts.equal(f"{name}: {key}", group["Description"], said["GroupDescription"])
                rules = sum(
                    max(1, len(one["IpRanges"]) + len(one["UserIdGroupPairs"])) for one in group["IpPermissions"]
                )
                facts.equal(f"{name}: into {key}", rules, len(said.get("SecurityGroupIngress", [])))


def database(name: str, facts: Facts, kinds: dict[str, list[str]], ids: dict[str, str]) -> None:
    cluster = facts.rds.describe_db_clusters(DBClusterIdentifier=ids["Cluster"])["DBClusters"][0]
    facts.equal(f"{name}: members", len(cluster["DBClusterMembers"]), len(kinds["AWS::RDS::DBInstance"]))
    facts.equal(f"{name}: parameter group", cluster["DBClusterParameterGroup"], ids["ParameterGroup"])
    subnets = facts.rds.describe_db_subnet_groups(DBSubnetGroupName=cluster["DBSubnetGroup"])["DBSubnetGroups"][0][
        "Subnets"
    ]
    private = sorted(value for key, value in ids.items() if key.startswith(("SubnetPrivate", "PrivateSubnet")))
    facts.equal(f"{name}: subnets of the cluster", sorted(one["SubnetIdentifier"] for one in subnets), private)
    group = facts.rds.describe_db_cluster_parameters(DBClusterParameterGroupName=ids["ParameterGroup"], Source="user")
    values = {one["ParameterName"]: one["ParameterValue"] for one in group["Parameters"]}
    wired = sorted(value for key, value in values.items() if key.startswith("aws_default_"))
    facts.equal(f"{name}: roles", sorted(role["RoleArn"] for role in cluster["AssociatedRoles"]), wired)
    own = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:{ids['Cluster']}"
    for arn in wired:
        role = facts.iam.get_role(RoleName=arn.rsplit("/", 1)[1])["Role"]
        if role["RoleName"] not in ids.values():
            continue  # The template of a stack within trusts whom it likes.
        trust = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
        facts.equal(f"{name}: trust of {arn}", trust["ArnLike"]["aws:SourceArn"], own)
        facts.equal(f"{name}: account of {arn}", trust["StringEquals"]["aws:SourceAccount"], ACCOUNT)
    if "SecretMaster" in ids:
        secret = facts.secretsmanager.get_secret_value(SecretId=ids["SecretMaster"])["SecretString"]
        facts.equal(f"{name}: host in the secret", json.loads(secret)["host"], cluster["Endpoint"])


def scripts(name: str, facts: Facts, kinds: dict[str, list[str]], ids: dict[str, str]) -> None:
    for key in kinds.get("AWS::SageMaker::NotebookInstanceLifecycleConfig", []):
        config = facts.sagemaker.describe_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=ids[key].rsplit("/", 1)[-1]
        )
        create, start = (base64.b64decode(config[hook][0]["Content"]).decode() for hook in ("OnCreate", "OnStart"))
        facts.equal(f"{name}: begins of scripts", [create[:11], start[:11]], ["#!/bin/bash"] * 2)
        facts.equal(f"{name}: bucket in scripts", f'S3BUCKET = "{ids["SageMakerBucket"]}"' in start, True)
        facts.equal(f"{name}: unresolved in scripts", re.findall(r"\$\{[^}]*\}", create + start), [])


def run() -> None:
    # What stands in a network of others cannot be created without that.
    texts = {path.stem: path.read_text() for path in TEMPLATES.glob("*.yaml")}
    own = ("AWS::EC2::VPC\n", "AWS::CloudFormation::Stack\n")
    names = sorted(name for name, text in texts.items() if any(kind in text for kind in own) or "SubnetId" not in text)
    # Each in an account of its own: clusters and endpoints of several have one name.
    for name in names:
        with tempfile.TemporaryDirectory() as folder, moto_life.moto(Path(folder), __file__) as endpoint:
            create(name, endpoint)
    print(f"moto: {len(names)} templates are created")


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else run()
