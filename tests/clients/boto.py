"""Touches every service of the sandbox with boto3: create, describe, tag, delete, and one refusal each.

usage: boto.py <endpoint> [<service>...]
"""

import hashlib
import json
import sys
import time

import boto3
import urllib3
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


def requests_get(url):
    """The answer as it came: nothing is followed or retried."""
    return urllib3.PoolManager().request("GET", url, redirect=False, retries=False)


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
    sts, iam = client("sts"), client("iam")
    equal(sts.get_caller_identity()["Account"], "111122223333")
    account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [account]})
    role = iam.create_role(RoleName="boto-visitor", Path="/boto/", AssumeRolePolicyDocument=document)["Role"]
    assumed = retried("AccessDenied", sts.assume_role, RoleArn=role["Arn"], RoleSessionName="visit")
    key = assumed["Credentials"]
    as_role = boto3.client(
        "sts",
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )
    arn = "arn:aws:sts::111122223333:assumed-role/boto-visitor/visit"
    equal(as_role.get_caller_identity()["Arn"], arn, "without the role's path")
    equal(assumed["AssumedRoleUser"]["Arn"], arn)
    refused("AccessDenied", sts.assume_role, RoleArn=role["Arn"] + "-not", RoleSessionName="visit")
    refused("ValidationError", sts.assume_role, RoleArn=role["Arn"], RoleSessionName="visit", DurationSeconds=7200)
    iam.update_assume_role_policy(RoleName="boto-visitor", PolicyDocument=trust("rds.amazonaws.com"))
    until("trust", lambda: gone(sts.assume_role, "AccessDenied", RoleArn=role["Arn"], RoleSessionName="visit"))
    iam.delete_role(RoleName="boto-visitor")


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
    rule = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    rule = next(r for r in rule if not r["IsEgress"])["SecurityGroupRuleId"]
    ec2.modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": rule,
                "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 3307, "ToPort": 3307, "CidrIpv4": "10.2.0.0/16", "Description": "moved"},
            }
        ],
    )
    found = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]
    equal((found["FromPort"], found["CidrIpv4"], found["Description"]), (3307, "10.2.0.0/16", "moved"))
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ask = lambda: ec2.describe_addresses_attribute(AllocationIds=[address], Attribute="domain-name")["Addresses"]
    equal([a["AllocationId"] for a in retried("InvalidAllocationID.NotFound", ask)], [address])
    refused("InvalidAddress.NotFound", ec2.release_address, AllocationId=address, NetworkBorderGroup="eu-west-1")
    ec2.release_address(AllocationId=address, NetworkBorderGroup=REGION)
    names = [r["RegionName"] for r in ec2.describe_regions()["Regions"]]
    assert {"us-east-1", "eu-west-1"} <= set(names), names
    equal([r["Endpoint"] for r in ec2.describe_regions(RegionNames=["eu-west-1"])["Regions"]], ["ec2.eu-west-1.amazonaws.com"])
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    remove_network(ec2, vpc, subnets, group)
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc])
    fresh_account(ec2)


def fresh_account(ec2):
    """What AWS has put there; and the default VPC can be removed and made again."""
    refused("DefaultVpcAlreadyExists", ec2.create_default_vpc)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
    equal((vpc["CidrBlock"], vpc["IsDefault"]), ("172.31.0.0/16", True))
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    equal([(s["DefaultForAz"], s["MapPublicIpOnLaunch"], s["CidrBlock"][-3:]) for s in subnets], [(True, True, "/20")] * 6)
    gateway = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}])
    gateway = gateway["InternetGateways"][0]["InternetGatewayId"]
    table = ec2.describe_route_tables(Filters=inside)["RouteTables"][0]
    equal(table["Associations"][0]["Main"], True)
    equal([r.get("GatewayId") for r in table["Routes"]], ["local", gateway])
    equal(len(ec2.describe_network_acls(Filters=inside)["NetworkAcls"]), 1)
    equal([g["GroupName"] for g in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]], ["default"])
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    equal(ec2.describe_vpcs()["Vpcs"], [])
    again = ec2.create_default_vpc()["Vpc"]
    equal(again["IsDefault"], True)
    assert again["VpcId"] != vpc["VpcId"], again


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
    known_by(rds, cluster_now, instance)
    rds.delete_db_instance(DBInstanceIdentifier="boto-1", SkipFinalSnapshot=True)
    until("instance gone", lambda: gone(rds.describe_db_instances, "DBInstanceNotFound", DBInstanceIdentifier="boto-1"))
    rds.delete_db_cluster(DBClusterIdentifier="boto", SkipFinalSnapshot=True)
    until("cluster gone", lambda: gone(rds.describe_db_clusters, "DBClusterNotFoundFault", DBClusterIdentifier="boto"))
    refused("ResourceNotFoundException", secrets.describe_secret, SecretId=secret)
    rds.delete_db_subnet_group(DBSubnetGroupName="boto")
    rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName="boto")
    remove_network(ec2, vpc, subnets, group)


def known_by(rds, cluster, instance):
    """What is accepted is kept, shown and judged."""
    certificates = rds.describe_certificates()
    equal(certificates["DefaultCertificateForNewLaunches"], instance()["CACertificateIdentifier"])
    names = [c["CertificateIdentifier"] for c in certificates["Certificates"]]
    equal(names, ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"])
    modify = lambda **what: rds.modify_db_instance(DBInstanceIdentifier="boto-1", ApplyImmediately=True, **what)
    refused("CertificateNotFound", modify, CACertificateIdentifier="rds-ca-2019")
    modify(CACertificateIdentifier="rds-ca-ecc384-g1")
    equal(instance()["CertificateDetails"]["CAIdentifier"], "rds-ca-ecc384-g1")
    refused("InvalidParameterCombination", modify, MonitoringInterval=30)
    refused("InvalidParameterValue", modify, MonitoringInterval=30, MonitoringRoleArn="arn:aws:iam::111122223333:role/none")
    iam = client("iam")
    role = iam.create_role(RoleName="boto-monitoring", AssumeRolePolicyDocument=trust("monitoring.rds.amazonaws.com"))
    role = role["Role"]["Arn"]
    refused("InvalidParameterValue", modify, MonitoringInterval=7, MonitoringRoleArn=role)
    retried("InvalidParameterValue", lambda: modify(MonitoringInterval=30, MonitoringRoleArn=role))
    equal((instance()["MonitoringInterval"], instance()["MonitoringRoleArn"]), (30, role))
    iam.delete_role(RoleName="boto-monitoring")
    refused("InvalidParameterCombination", modify, PerformanceInsightsRetentionPeriod=731)
    refused("InvalidParameterValue", modify, EnablePerformanceInsights=True, PerformanceInsightsRetentionPeriod=30)
    modify(EnablePerformanceInsights=True, PerformanceInsightsRetentionPeriod=93)
    equal(instance()["PerformanceInsightsRetentionPeriod"], 93)
    assert ":key/" in instance()["PerformanceInsightsKMSKeyId"], instance()
    equal(instance()["OptionGroupMemberships"], [{"OptionGroupName": "default:aurora-mysql-8-0", "Status": "in-sync"}])
    groups = rds.describe_option_groups(OptionGroupName="default:aurora-mysql-8-0")["OptionGroupsList"]
    equal([g["MajorEngineVersion"] for g in groups], ["8.0"])
    rds.modify_db_cluster(DBClusterIdentifier="boto", EnableLocalWriteForwarding=True, ApplyImmediately=True)
    until("forwarding", lambda: cluster()["LocalWriteForwardingStatus"] == "enabled")
    until("cluster", lambda: cluster()["Status"] == "available")
    options = rds.describe_orderable_db_instance_options(Engine="aurora-mysql", MaxRecords=1000)
    assert len(options["OrderableDBInstanceOptions"]) > 100, "one page"
    refused("InvalidParameterValue", rds.describe_orderable_db_instance_options, Engine="aurora-mysql", MaxRecords=1001)
    refused("InvalidParameterValue", rds.describe_db_clusters, MaxRecords=101)

    for method in ("immediate", "pending-reboot"):
        parameter = {"ParameterName": "wait_timeout", "ParameterValue": "700", "ApplyMethod": method}
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="boto", Parameters=[parameter])
        pages = rds.get_paginator("describe_db_cluster_parameters").paginate(DBClusterParameterGroupName="boto")
        shown = {p["ParameterName"]: p for page in pages for p in page["Parameters"]}
        equal(shown["wait_timeout"]["ApplyMethod"], method, "as it was set")

    taken = rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="boto-now", DBClusterIdentifier="boto", Tags=TAGS)
    equal((taken["DBClusterSnapshot"]["Status"], taken["DBClusterSnapshot"]["TagList"]), ("creating", TAGS))
    rds.get_waiter("db_cluster_snapshot_available").wait(
        DBClusterSnapshotIdentifier="boto-now", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    refused(
        "DBClusterSnapshotAlreadyExistsFault",
        rds.create_db_cluster_snapshot,
        DBClusterSnapshotIdentifier="boto-now",
        DBClusterIdentifier="boto",
    )
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="boto-now")

    # A second member; the writer goes, and its heir right after it.
    rds.create_db_instance(
        DBInstanceIdentifier="boto-2", DBClusterIdentifier="boto", Engine="aurora-mysql", DBInstanceClass="db.r6g.large"
    )
    rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier="boto-2", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    until("cluster", lambda: cluster()["Status"] == "available")
    rds.failover_db_cluster(DBClusterIdentifier="boto")
    told = lambda: [e["Message"] for e in rds.describe_events(SourceType="db-cluster", SourceIdentifier="boto", EventCategories=["failover"])["Events"]]
    until("failover", lambda: "Completed failover to DB instance: boto-2" in told())
    assert "Started cross AZ failover to DB instance: boto-2" in told(), told()
    until("cluster", lambda: cluster()["Status"] == "available")
    until("members", lambda: all(i["DBInstanceStatus"] == "available" for i in rds.describe_db_instances()["DBInstances"]))
    rds.delete_db_instance(DBInstanceIdentifier="boto-2", SkipFinalSnapshot=True)
    # boto-1 takes over meanwhile; the caller deletes it next.


def unmodelled():
    """A member that the sandbox does not know is refused by its name, in every protocol, and nothing is made."""

    def named(member, call, **arguments):
        try:
            answer = call(**arguments)
        except ClientError as error:
            assert member in error.response["Error"]["Message"], error
            return
        raise AssertionError(f"{member} was accepted: {answer}")

    ec2, rds, iam, sagemaker = client("ec2"), client("rds"), client("iam"), client("sagemaker")
    vpcs = len(ec2.describe_vpcs()["Vpcs"])
    named("Ipv6Pool", ec2.create_vpc, CidrBlock="10.9.0.0/16", Ipv6Pool="pool")
    equal(len(ec2.describe_vpcs()["Vpcs"]), vpcs)
    new = dict(DBClusterIdentifier="unmodelled", Engine="aurora-mysql", MasterUsername="admin", ManageMasterUserPassword=True)
    named("Domain", rds.create_db_cluster, Domain="d-1234567890", **new)
    named("BacktrackWindow", rds.create_db_cluster, BacktrackWindow=3600, **new)
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="unmodelled")
    equal([s for s in client("secretsmanager").list_secrets()["SecretList"] if "unmodelled" in s["Name"]], [])
    role = iam.create_role(RoleName="unmodelled", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))["Role"]["Arn"]
    notebook = dict(NotebookInstanceName="unmodelled", InstanceType="ml.t3.medium", RoleArn=role)
    ask = lambda: sagemaker.create_notebook_instance(AcceleratorTypes=["ml.eia1.medium"], **notebook)
    until("role", lambda: "AcceleratorTypes" in refused("ValidationException", ask).response["Error"]["Message"])
    equal(sagemaker.list_notebook_instances()["NotebookInstances"], [])
    iam.delete_role(RoleName="unmodelled")
    secrets = client("secretsmanager")
    named("AddReplicaRegions", secrets.create_secret, Name="unmodelled", AddReplicaRegions=[{"Region": "eu-west-1"}])
    refused("ResourceNotFoundException", secrets.describe_secret, SecretId="unmodelled")
    s3 = client("s3")
    s3.create_bucket(Bucket="unmodelled-111122223333")
    locked = dict(Bucket="unmodelled-111122223333", Key="k", Body=b"", ObjectLockLegalHoldStatus="ON")
    named("x-amz-object-lock-legal-hold", s3.put_object, **locked)
    s3.delete_bucket(Bucket="unmodelled-111122223333")


def unknown():
    """Services and operations that are not there answer in the protocol of the client: it reads a code."""
    code = "UnknownOperationException"
    refused("InvalidAction", client("ec2").describe_instances)
    refused("InvalidAction", client("rds").describe_db_proxies)
    refused("InvalidAction", client("sts").get_session_token)
    refused("InvalidAction", client("sns").list_topics)
    refused(code, client("sagemaker").list_domains)
    refused(code, client("dynamodb").list_tables)
    refused(code, client("logs").describe_log_groups)
    refused(code, client("lambda").list_functions)
    refused(code, client("eks").list_clusters)
    refused("NotImplemented", client("route53").list_hosted_zones)
    s3 = client("s3")
    s3.create_bucket(Bucket="unknown-111122223333")
    refused("NotImplemented", s3.list_bucket_metrics_configurations, Bucket="unknown-111122223333")
    s3.delete_bucket(Bucket="unknown-111122223333")


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
    equal(s3.head_object(Bucket=name, Key="a folder/churn+1.txt")["ETag"], '"%s"' % hashlib.md5(body).hexdigest())
    s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "a folder/churn+1.txt"})
    equal(s3.get_object(Bucket=name, Key="copy")["Body"].read(), body)
    refused("InvalidRequest", s3.copy_object, Bucket=name, Key="copy", CopySource=f"{name}/copy")
    refused("NoSuchKey", s3.copy_object, Bucket=name, Key="copy", CopySource=f"{name}/nothing")
    s3.copy_object(Bucket=name, Key="copy", CopySource=f"{name}/copy", MetadataDirective="REPLACE", Metadata={"a": "b"})
    equal(s3.head_object(Bucket=name, Key="copy")["Metadata"], {"a": "b"})
    parts = [s3.create_multipart_upload(Bucket=name, Key="parts")["UploadId"]]
    piece = b"0" * (5 << 20)
    tag = s3.upload_part(Bucket=name, Key="parts", UploadId=parts[0], PartNumber=1, Body=piece)["ETag"]
    done = s3.complete_multipart_upload(
        Bucket=name, Key="parts", UploadId=parts[0], MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]}
    )
    equal(done["ETag"], '"%s-1"' % hashlib.md5(hashlib.md5(piece).digest()).hexdigest())
    for code, ask in [
        ("NoSuchCORSConfiguration", s3.get_bucket_cors),
        ("NoSuchWebsiteConfiguration", s3.get_bucket_website),
        ("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration),
        ("ReplicationConfigurationNotFoundError", s3.get_bucket_replication),
        ("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration),
        ("NoSuchBucketPolicy", s3.get_bucket_policy_status),
    ]:
        refused(code, ask, Bucket=name)
    equal("LoggingEnabled" in s3.get_bucket_logging(Bucket=name), False)
    equal("Status" in s3.get_bucket_accelerate_configuration(Bucket=name), False)
    equal(s3.get_bucket_request_payment(Bucket=name)["Payer"], "BucketOwner")
    away = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="eu-west-1",
        aws_access_key_id="AKIDSANDBOX",
        aws_secret_access_key="secret",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    for bucket in (name, "sagemaker-sample-files"):
        url = away.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket})
        answer = requests_get(url)
        equal((answer.status, answer.headers.get("x-amz-bucket-region")), (301, "us-east-1"))
        assert b"<Code>PermanentRedirect</Code>" in answer.data, answer.data
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": k} for k in ("a folder/churn+1.txt", "copy", "parts")]})
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
    for container in (
        {"Image": image, "ModelDataUrl": "s3://sagemaker-sample-files/models/none.tar.gz"},
        {"Image": image.replace("us-east-1", "eu-west-1")},
    ):
        refused("ValidationException", sagemaker.create_model, ModelName="not", ExecutionRoleArn=role, PrimaryContainer=container)
    sagemaker.create_endpoint_config(EndpointConfigName="boto", ProductionVariants=[variant])
    retried("ValidationException", sagemaker.create_endpoint, EndpointName="boto", EndpointConfigName="boto")
    until("endpoint", lambda: sagemaker.describe_endpoint(EndpointName="boto")["EndpointStatus"] == "InService")
    sagemaker.add_tags(ResourceArn=model["ModelArn"], Tags=[{"Key": "more", "Value": "1"}])
    sagemaker.delete_tags(ResourceArn=model["ModelArn"], TagKeys=["stack"])
    equal(sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"], [{"Key": "more", "Value": "1"}])
    # As SageMaker's own SDK does: the configuration first.
    sagemaker.delete_endpoint_config(EndpointConfigName="boto")
    sagemaker.delete_endpoint(EndpointName="boto")
    until("endpoint gone", lambda: gone(sagemaker.describe_endpoint, "ValidationException", EndpointName="boto"))
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


SERVICES = [sts, iam, secretsmanager, kms, servicequotas, ec2, s3, rds, sagemaker, unmodelled, unknown]

if __name__ == "__main__":
    wanted = sys.argv[2:] or [service.__name__ for service in SERVICES]
    known = {service.__name__: service for service in SERVICES}
    for name in wanted:
        known[name]()
        print(f"{name}: ok", flush=True)
