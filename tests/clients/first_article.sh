#!/usr/bin/env bash
# The commands of "Adding real-time machine learning predictions to Amazon Aurora: Part 1", as typed there,
# against the sandbox at AWS_ENDPOINT_URL, up to in-sync on both members. Before that, what the article
# takes as given: a cluster with a reader. On the way: a cluster of one member refuses to fail over.
# Only the answers are kept in a file, so that they can be looked at; the commands are the article's.
source common.sh
: "${AWS_ENDPOINT_URL:?must be the address of the sandbox}"
cluster=database-aurora-ml
group=aurora-ml-db-cluster-parameter-group
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cluster_is() {
  until_equal "cluster" "$1" aws rds describe-db-clusters --db-cluster-identifier $cluster \
    --query 'DBClusters[0].Status' --output text
}

instance_is() {
  until_equal "instance $1" "$2" aws rds describe-db-instances --db-instance-identifier "$1" \
    --query 'DBInstances[0].DBInstanceStatus' --output text
}

echo "== a network and a cluster with one member"
vpc=$(aws ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
until_equal "vpc" available aws ec2 describe-vpcs --filters "Name=vpc-id,Values=$vpc" --query 'Vpcs[0].State' --output text
one=$(aws ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId --output text)
two=$(aws ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b --query Subnet.SubnetId --output text)
until_equal "subnets" 2 aws ec2 describe-subnets --filters "Name=vpc-id,Values=$vpc" --query 'length(Subnets)' --output text
aws rds create-db-subnet-group --db-subnet-group-name aurora-ml --db-subnet-group-description "Aurora ML" \
  --subnet-ids "$one" "$two" > "$work/out"
aws rds create-db-cluster --db-cluster-identifier $cluster --engine aurora-mysql \
  --master-username admin --master-user-password sandbox-only-1 --db-subnet-group-name aurora-ml > "$work/out"
cluster_is available
aws rds create-db-instance --db-instance-identifier database-1-instance-1 --db-cluster-identifier $cluster \
  --engine aurora-mysql --db-instance-class db.r6g.large > "$work/out"
instance_is database-1-instance-1 available
cluster_is available

echo "== one member cannot fail over"
if aws rds failover-db-cluster --db-cluster-identifier $cluster > "$work/out" 2> "$work/error"; then
  fail "failover of a single member was accepted"
fi
grep -q InvalidDBClusterStateFault "$work/error" || fail "failover of a single member: $(cat "$work/error")"
grep -q "at least two database instances" "$work/error" || fail "failover of a single member: $(cat "$work/error")"
cluster_is available
until_equal "the only member" "database-1-instance-1 True in-sync" aws rds describe-db-clusters \
  --db-cluster-identifier $cluster --output text \
  --query 'DBClusters[0].DBClusterMembers[].[DBInstanceIdentifier,IsClusterWriter,DBClusterParameterGroupStatus]'

echo "== a reader"
aws rds create-db-instance --db-instance-identifier reader --db-cluster-identifier $cluster \
  --engine aurora-mysql --db-instance-class db.r6g.large > "$work/out"
instance_is reader available
cluster_is available

echo "== the article"
cat > sagemaker-policy.json <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AllowAuroraToInvokeRCFEndPoint",
      "Effect": "Allow",
      "Action": "sagemaker:InvokeEndpoint",
      "Resource": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/endpointName"
    }
  ]
}
JSON
aws iam create-role \
  --role-name auroraml-sagemaker-access \
  --assume-role-policy-document "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"rds.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}" > "$work/out"
aws iam put-role-policy \
  --role-name auroraml-sagemaker-access --policy-name inline-policy \
  --policy-document file://sagemaker-policy.json

# RDS may not see the role for a moment, and says InvalidParameterValue.
for _ in $(seq 1 60); do
  if aws rds add-role-to-db-cluster \
    --db-cluster-identifier $cluster \
    --role-arn $(aws iam list-roles --query 'Roles[?RoleName==`auroraml-sagemaker-access`].Arn' --output text) 2> "$work/error"; then
    break
  fi
  grep -q InvalidParameterValue "$work/error" || fail "add-role-to-db-cluster: $(cat "$work/error")"
  sleep 0.2
done
until_equal "role association" ACTIVE aws rds describe-db-clusters --db-cluster-identifier $cluster \
  --query 'DBClusters[0].AssociatedRoles[0].Status' --output text

aws rds create-db-cluster-parameter-group \
  --db-cluster-parameter-group-name $group \
  --db-parameter-group-family aurora-mysql8.0 \
  --description "My Aurora ML cluster parameter group" > "$work/out"
aws rds modify-db-cluster \
  --db-cluster-identifier $cluster \
  --db-cluster-parameter-group-name $group > "$work/out"
cluster_is available
aws rds modify-db-cluster-parameter-group \
  --db-cluster-parameter-group-name $group \
  --parameters "ParameterName=aws_default_sagemaker_role,ParameterValue=$(aws iam list-roles --query 'Roles[?RoleName==`auroraml-sagemaker-access`].Arn' --output text),ApplyMethod=pending-reboot" > "$work/out"
until_equal "members before" "pending-reboot pending-reboot" aws rds describe-db-clusters \
  --db-cluster-identifier $cluster \
  --query 'DBClusters[*].DBClusterMembers[].DBClusterParameterGroupStatus' --output text

aws rds failover-db-cluster --db-cluster-identifier $cluster > "$work/out"
until_equal "members after" "in-sync in-sync" aws rds describe-db-clusters \
  --db-cluster-identifier $cluster \
  --query 'DBClusters[*].DBClusterMembers[].DBClusterParameterGroupStatus' --output text
until_equal "writer" reader aws rds describe-db-clusters --db-cluster-identifier $cluster \
  --query 'DBClusters[0].DBClusterMembers[?IsClusterWriter].DBInstanceIdentifier' --output text
# The old writer was the first member; the article's sample shows the same pair the other way round.
aws rds describe-db-clusters --db-cluster-identifier $cluster --query 'DBClusters[*].DBClusterMembers' | tee "$work/out"
[ "$(grep -c '"DBClusterParameterGroupStatus": "in-sync"' "$work/out")" = 2 ] || fail "not both members are in-sync"
[ "$(grep -c '"PromotionTier": 1' "$work/out")" = 2 ] || fail "both members have promotion tier 1"
until_equal "value" "$(aws iam get-role --role-name auroraml-sagemaker-access --query Role.Arn --output text)" \
  aws rds describe-db-cluster-parameters --db-cluster-parameter-group-name $group --source user \
  --query 'Parameters[?ParameterName==`aws_default_sagemaker_role`].ParameterValue' --output text
echo "first_article.sh: done"
