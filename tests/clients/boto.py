"""Touches every service of the sandbox with boto3: create, describe, tag, delete, and one refusal each.

usage: boto.py <endpoint> [<service>...]
"""

import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
REGION = "us-east-1"
TAGS = [{"Key": "stack", "Value": "conformance"}]


def client(service):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id="AKIDSANDBOX",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60),
    )


def equal(got, expected, what=""):
    if got != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {got!r}")


def refused(code, call, **arguments):
    """The call must be refused with this code."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        equal(error.response["Error"]["Code"], code, str(error))
        return error
    raise AssertionError(f"expected {code}, got {answer}")


def until(what, check, seconds=60):
    """Waits until check returns something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def gone(call, *codes, **arguments):
    """Whether the call is refused with one of the codes."""
    try:
        call(**arguments)
        return False
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return True
        raise


def retried(code, call, **arguments):
    """Repeats a call while it is refused with a code that passes, such as a role that is too new."""

    def attempt():
        try:
            return [call(**arguments)]
        except ClientError as error:
            if error.response["Error"]["Code"] != code:
                raise
            return None

    return until(code, attempt)[0]


def trust(service):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def sts():
    equal(client("sts").get_caller_identity()["Account"], "111122223333")


def iam():
    iam = client("iam")
    role = iam.create_role(
        RoleName="boto", AssumeRolePolicyDocument=trust("rds.amazonaws.com"), Tags=TAGS
    )["Role"]
    refused("EntityAlreadyExists", iam.create_role, RoleName="BOTO", AssumeRolePolicyDocument=trust("rds.amazonaws.com"))
    refused("MalformedPolicyDocument", iam.update_assume_role_policy, RoleName="boto", PolicyDocument="{}")
    shown = iam.get_role(RoleName="boto")["Role"]
    equal(shown["Arn"], role["Arn"])
    equal(shown["Tags"], TAGS)
    equal(shown["AssumeRolePolicyDocument"], json.loads(trust("rds.amazonaws.com")), "decoded by boto3")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}
    iam.put_role_policy(RoleName="boto", PolicyName="p", PolicyDocument=json.dumps(policy))
    equal(iam.get_role_policy(RoleName="boto", PolicyName="p")["PolicyDocument"], policy)
    equal(iam.list_role_policies(RoleName="boto")["PolicyNames"], ["p"])
    arn = iam.create_policy(PolicyName="boto", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="boto", PolicyArn=arn)
    iam.attach_role_policy(RoleName="boto", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    attached = iam.list_attached_role_policies(RoleName="boto")["AttachedPolicies"]
    equal(sorted(p["PolicyName"] for p in attached), ["AmazonSageMakerFullAccess", "boto"])
    names = [r["RoleName"] for page in iam.get_paginator("list_roles").paginate() for r in page["Roles"]]
    assert "boto" in names, names
    iam.tag_role(RoleName="boto", Tags=[{"Key": "more", "Value": "1"}])
    iam.untag_role(RoleName="boto", TagKeys=["stack"])
    equal(iam.list_role_tags(RoleName="boto")["Tags"], [{"Key": "more", "Value": "1"}])
    refused("DeleteConflict", iam.delete_role, RoleName="boto")
    for one in attached:
        iam.detach_role_policy(RoleName="boto", PolicyArn=one["PolicyArn"])
    iam.delete_policy(PolicyArn=arn)
    iam.delete_role_policy(RoleName="boto", PolicyName="p")
    iam.create_instance_profile(InstanceProfileName="boto")
    iam.add_role_to_instance_profile(InstanceProfileName="boto", RoleName="boto")
    equal(len(iam.list_instance_profiles_for_role(RoleName="boto")["InstanceProfiles"]), 1)
    iam.remove_role_from_instance_profile(InstanceProfileName="boto", RoleName="boto")
    iam.delete_instance_profile(InstanceProfileName="boto")
    iam.delete_role(RoleName="boto")
    refused("NoSuchEntity", iam.get_role, RoleName="boto")


def secretsmanager():
    secrets = client("secretsmanager")
    password = secrets.get_random_password(PasswordLength=20, ExcludePunctuation=True)["RandomPassword"]
    equal(len(password), 20)
    arn = secrets.create_secret(Name="boto", SecretString=password, Tags=TAGS)["ARN"]
    equal(secrets.get_secret_value(SecretId=arn)["SecretString"], password)
    secrets.put_secret_value(SecretId="boto", SecretBinary=b"\x00\x01")
    equal(secrets.get_secret_value(SecretId="boto")["SecretBinary"], b"\x00\x01")
    equal(secrets.get_secret_value(SecretId="boto", VersionStage="AWSPREVIOUS")["SecretString"], password)
    secrets.tag_resource(SecretId="boto", Tags=[{"Key": "more", "Value": "1"}])
    secrets.untag_resource(SecretId="boto", TagKeys=["stack"])
    equal(secrets.describe_secret(SecretId="boto")["Tags"], [{"Key": "more", "Value": "1"}])
    until("list_secrets", lambda: [s for s in secrets.list_secrets()["SecretList"] if s["ARN"] == arn])
    secrets.delete_secret(SecretId="boto", RecoveryWindowInDays=7)
    refused("InvalidRequestException", secrets.create_secret, Name="boto")
    secrets.restore_secret(SecretId="boto")
    secrets.delete_secret(SecretId="boto", ForceDeleteWithoutRecovery=True)
    refused("ResourceNotFoundException", secrets.describe_secret, SecretId="boto")


def kms():
    kms = client("kms")
    key = kms.create_key(Description="boto", Tags=[{"TagKey": "stack", "TagValue": "boto"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/boto", TargetKeyId=key["KeyId"])
    refused("AlreadyExistsException", kms.create_alias, AliasName="alias/boto", TargetKeyId=key["KeyId"])
    equal(kms.describe_key(KeyId="alias/boto")["KeyMetadata"]["Arn"], key["Arn"])
    equal(kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["KeyManager"], "AWS")
    aliases = {a["AliasName"] for page in kms.get_paginator("list_aliases").paginate() for a in page["Aliases"]}
    assert {"alias/boto", "alias/aws/s3", "alias/aws/secretsmanager"} <= aliases, aliases
    assert key["KeyId"] in [k["KeyId"] for k in kms.list_keys()["Keys"]]
    grant = kms.create_grant(
        KeyId=key["KeyId"], GranteePrincipal="arn:aws:iam::111122223333:user/sandbox", Operations=["Decrypt"]
    )
    equal(kms.list_grants(KeyId=key["KeyId"])["Grants"][0]["GrantId"], grant["GrantId"])
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])
    kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "more", "TagValue": "1"}])
    equal(len(kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]), 2)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    equal(kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"], "PendingDeletion")
    refused("KMSInvalidStateException", kms.enable_key, KeyId=key["KeyId"])
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    equal(kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"], "Disabled")
    kms.delete_alias(AliasName="alias/boto")
    refused("NotFoundException", kms.describe_key, KeyId="alias/boto")


def servicequotas():
    quotas = client("service-quotas")
    equal(quotas.get_service_quota(ServiceCode="rds", QuotaCode="L-952B80B8")["Quota"]["Value"], 40.0)
    pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker", PaginationConfig={"PageSize": 7})
    names = [quota["QuotaName"] for page in pages for quota in page["Quotas"]]
    assert "ml.m5.large for endpoint usage" in names, names
    equal(len(names), len(set(names)))
    refused("NoSuchResourceException", quotas.get_service_quota, ServiceCode="rds", QuotaCode="L-00000000")


def network(ec2):
    """A VPC with two subnets and a security group."""
    tags = lambda kind: [{"ResourceType": kind, "Tags": TAGS}]
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
    until("vpc", lambda: ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Vpcs"])
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=REGION + "ab"[n], TagSpecifications=tags("subnet")
        )["Subnet"]["SubnetId"]
        for n in (0, 1)
    ]
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    until("subnets", lambda: len(ec2.describe_subnets(Filters=in_vpc)["Subnets"]) == 2)
    group = ec2.create_security_group(GroupName="boto", Description="boto", VpcId=vpc)["GroupId"]
    until("group", lambda: [g for g in ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"] if g["GroupId"] == group])
    return vpc, subnets, group


def remove_network(ec2, vpc, subnets, group):
    # Interfaces of other services stay for a while.
    retried("DependencyViolation", ec2.delete_security_group, GroupId=group)
    for subnet in subnets:
        retried("DependencyViolation", ec2.delete_subnet, SubnetId=subnet)
    retried("DependencyViolation", ec2.delete_vpc, VpcId=vpc)


def ec2():
    ec2 = client("ec2")
    vpc, subnets, group = network(ec2)
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}],
    )
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    equal((rules[0]["FromPort"], rules[0]["IpRanges"][0]["CidrIp"]), (3306, "10.1.0.0/16"))
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    retried("InvalidInternetGatewayID.NotFound", ec2.attach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    retried(
        "InvalidRouteTableID.NotFound",
        ec2.create_route,
        RouteTableId=table,
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway,
    )
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnets[0])["AssociationId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "more", "Value": "<&>"}])
    found = ec2.describe_vpcs(Filters=[{"Name": "tag:more", "Values": ["<&>"]}])["Vpcs"]
    equal([v["VpcId"] for v in found], [vpc])
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "more"}])
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=table)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    remove_network(ec2, vpc, subnets, group)
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc])


def rds():
    ec2, rds = client("ec2"), client("rds")
    vpc, subnets, group = network(ec2)
    subnet_group = rds.create_db_subnet_group(
        DBSubnetGroupName="Boto", DBSubnetGroupDescription="boto", SubnetIds=subnets, Tags=TAGS
    )["DBSubnetGroup"]
    equal(subnet_group["VpcId"], vpc)
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="boto", DBParameterGroupFamily="aurora-mysql8.0", Description="boto"
    )
    cluster = rds.create_db_cluster(
        DBClusterIdentifier="Boto",
        Engine="aurora-mysql",
        MasterUsername="admin",
        ManageMasterUserPassword=True,
        DBSubnetGroupName="boto",
        DBClusterParameterGroupName="boto",
        VpcSecurityGroupIds=[group],
        Tags=TAGS,
    )["DBCluster"]
    equal(cluster["DBClusterIdentifier"], "boto", "lower-cased")
    secrets, secret = client("secretsmanager"), cluster["MasterUserSecret"]["SecretArn"]
    equal(json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"])["username"], "admin")
    equal(secrets.describe_secret(SecretId=secret)["OwningService"], "rds")
    refused("InvalidRequestException", secrets.delete_secret, SecretId=secret)
    cluster_now = lambda: rds.describe_db_clusters(DBClusterIdentifier="boto")["DBClusters"][0]
    until("cluster", lambda: cluster_now()["Status"] == "available")
    rds.create_db_instance(
        DBInstanceIdentifier="boto-1", DBClusterIdentifier="boto", Engine="aurora-mysql", DBInstanceClass="db.r6g.large"
    )
    instance = lambda: rds.describe_db_instances(DBInstanceIdentifier="boto-1")["DBInstances"][0]
    until("instance", lambda: instance()["DBInstanceStatus"] == "available")
    equal(cluster_now()["DBClusterMembers"][0]["IsClusterWriter"], True)
    equal(cluster_now()["MasterUserSecret"]["SecretStatus"], "active")
    in_subnets = [{"Name": "subnet-id", "Values": subnets}]
    interfaces = ec2.describe_network_interfaces(Filters=in_subnets)["NetworkInterfaces"]
    equal([(i["Description"], i["Groups"][0]["GroupId"]) for i in interfaces], [("RDSNetworkInterface", group)])
    rds.add_tags_to_resource(ResourceName=cluster["DBClusterArn"], Tags=[{"Key": "more", "Value": "1"}])
    rds.remove_tags_from_resource(ResourceName=cluster["DBClusterArn"], TagKeys=["stack"])
    equal(rds.list_tags_for_resource(ResourceName=cluster["DBClusterArn"])["TagList"], [{"Key": "more", "Value": "1"}])
    refused("InvalidDBSubnetGroupStateFault", rds.delete_db_subnet_group, DBSubnetGroupName="boto")
    refused("InvalidDBClusterStateFault", rds.delete_db_cluster, DBClusterIdentifier="boto", SkipFinalSnapshot=True)
    rds.delete_db_instance(DBInstanceIdentifier="boto-1")
    until("instance gone", lambda: gone(rds.describe_db_instances, "DBInstanceNotFound", DBInstanceIdentifier="boto-1"))
    rds.delete_db_cluster(DBClusterIdentifier="boto", SkipFinalSnapshot=True)
    until("cluster gone", lambda: gone(rds.describe_db_clusters, "DBClusterNotFoundFault", DBClusterIdentifier="boto"))
    refused("ResourceNotFoundException", secrets.describe_secret, SecretId=secret)
    rds.delete_db_subnet_group(DBSubnetGroupName="boto")
    rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName="boto")
    remove_network(ec2, vpc, subnets, group)


def s3():
    s3 = client("s3")
    name = "boto-conformance-111122223333"
    refused("404", s3.head_bucket, Bucket=name)
    s3.create_bucket(Bucket=name)
    s3.head_bucket(Bucket=name)
    body = b"line\n" * 50_000
    s3.put_object(Bucket=name, Key="a folder/churn+1.txt", Body=body)
    equal(s3.get_object(Bucket=name, Key="a folder/churn+1.txt")["Body"].read(), body)
    equal(s3.head_object(Bucket=name, Key="a folder/churn+1.txt")["ContentLength"], len(body))
    equal([o["Key"] for o in s3.list_objects_v2(Bucket=name)["Contents"]], ["a folder/churn+1.txt"])
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": TAGS})
    equal(s3.get_bucket_tagging(Bucket=name)["TagSet"], TAGS)
    equal(s3.get_bucket_location(Bucket=name)["LocationConstraint"], None)
    assert name in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=name)
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a folder/churn+1.txt"}]})
    s3.delete_bucket(Bucket=name)
    refused("NoSuchBucket", s3.list_objects_v2, Bucket=name)


def sagemaker():
    iam, sagemaker = client("iam"), client("sagemaker")
    role = iam.create_role(RoleName="boto-sagemaker", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))
    role = role["Role"]["Arn"]
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    model = retried(
        "ValidationException",
        sagemaker.create_model,
        ModelName="boto",
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": image},
        Tags=TAGS,
    )
    variant = {"VariantName": "all", "ModelName": "boto", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="boto", ProductionVariants=[variant])
    retried("ValidationException", sagemaker.create_endpoint, EndpointName="boto", EndpointConfigName="boto")
    until("endpoint", lambda: sagemaker.describe_endpoint(EndpointName="boto")["EndpointStatus"] == "InService")
    sagemaker.add_tags(ResourceArn=model["ModelArn"], Tags=[{"Key": "more", "Value": "1"}])
    sagemaker.delete_tags(ResourceArn=model["ModelArn"], TagKeys=["stack"])
    equal(sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"], [{"Key": "more", "Value": "1"}])
    sagemaker.delete_endpoint(EndpointName="boto")
    until("endpoint gone", lambda: gone(sagemaker.describe_endpoint, "ValidationException", EndpointName="boto"))
    sagemaker.delete_endpoint_config(EndpointConfigName="boto")
    sagemaker.delete_model(ModelName="boto")
    refused("ValidationException", sagemaker.describe_model, ModelName="boto")

    notebook = lambda: sagemaker.describe_notebook_instance(NotebookInstanceName="boto")["NotebookInstanceStatus"]
    retried(
        "ValidationException",
        sagemaker.create_notebook_instance,
        NotebookInstanceName="boto",
        InstanceType="ml.t3.medium",
        RoleArn=role,
        PlatformIdentifier="notebook-al2023-v1",
    )
    until("notebook", lambda: notebook() == "InService")
    sagemaker.stop_notebook_instance(NotebookInstanceName="boto")
    until("notebook stopped", lambda: notebook() == "Stopped")
    sagemaker.delete_notebook_instance(NotebookInstanceName="boto")
    missing = lambda: gone(sagemaker.describe_notebook_instance, "ValidationException", NotebookInstanceName="boto")
    until("notebook gone", missing)
    iam.delete_role(RoleName="boto-sagemaker")


SERVICES = [sts, iam, secretsmanager, kms, servicequotas, ec2, s3, rds, sagemaker]

if __name__ == "__main__":
    wanted = sys.argv[2:] or [service.__name__ for service in SERVICES]
    known = {service.__name__: service for service in SERVICES}
    for name in wanted:
        known[name]()
        print(f"{name}: ok", flush=True)
