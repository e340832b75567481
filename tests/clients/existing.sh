#!/usr/bin/env bash
# The first article with auroraml instead of its commands: clusters made beforehand by plain AWS CLI calls, with
# two members, with one and with four. Each is wired up by the binary at AURORAML until all its members are
# in-sync, and then given back: what describe-db-clusters says must be the same before and after, byte for byte,
# but for the running clock and who is the writer.
# The CLI talks to a sandbox in a file, served on a port; auroraml uses the file itself between that, with a clock
# that does not wait.
source common.sh
: "${AURORAML:?must be the auroraml binary}"
specs=$PWD/../../specs
work=$(mktemp -d)
server=""
trap 'kill $server 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"

# Serves the sandbox until unserve.
serve() {
  # What an earlier server said must not be taken for this one's: the shell empties the file when it gets round to it.
  rm -f served
  "$AURORAML" sandbox --listen 127.0.0.1:0 --sandbox=world.json --sandbox-speed 100 > served 2> served.log &
  server=$!
  for _ in $(seq 1 100); do
    grep -qs DEFAULT_REGION served && break
    sleep 0.1
  done
  AWS_ENDPOINT_URL=$(sed -n 's/^export AWS_ENDPOINT_URL=//p' served)
  [ -n "$AWS_ENDPOINT_URL" ] || fail "the sandbox is not served: $(cat served.log)"
}

unserve() {
  kill -TERM "$server"
  wait "$server" || fail "the sandbox did not end well: $(tail -3 served.log)"
  server=""
}

auroraml() { env -u AWS_ENDPOINT_URL "$AURORAML" "$@" --sandbox=world.json --sandbox-speed max; }

statuses() {
  aws rds describe-db-clusters --db-cluster-identifier "$1" --output text \
    --query 'DBClusters[0].DBClusterMembers[].DBClusterParameterGroupStatus'
}

# words <n> <word>: the word n times.
words() { for _ in $(seq 1 "$1"); do printf '%s ' "$2"; done | sed 's/ *$//'; }

# make_group <name>: a custom group with a value that matters to its owners.
make_group() {
  aws rds create-db-cluster-parameter-group --db-cluster-parameter-group-name "$1" \
    --db-parameter-group-family aurora-mysql8.0 --description "of the platform team"
  aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name "$1" \
    --parameters ParameterName=binlog_format,ParameterValue=ROW,ApplyMethod=pending-reboot
}

# make_cluster <name> <group> <members>
make_cluster() {
  aws rds create-db-cluster --db-cluster-identifier "$1" --engine aurora-mysql --master-username admin \
    --master-user-password sandbox-only-1 --db-subnet-group-name existing \
    --db-cluster-parameter-group-name "$2" --tags Key=owner,Value=platform
  until_equal "$1" available aws rds describe-db-clusters --db-cluster-identifier "$1" \
    --query 'DBClusters[0].Status' --output text
  for n in $(seq 1 "$3"); do
    # RDS enters backing-up by itself, and refuses then.
    for _ in $(seq 1 60); do
      if aws rds create-db-instance --db-instance-identifier "$1-$n" --db-cluster-identifier "$1" \
        --engine aurora-mysql --db-instance-class db.r6g.large 2> "error.$1"; then
        break
      fi
      grep -q InvalidDBClusterStateFault "error.$1" || fail "create-db-instance: $(cat "error.$1")"
      sleep 0.2
    done
  done
  until_equal "members of $1" "$(words "$3" available)" aws rds describe-db-instances --output text \
    --filters "Name=db-cluster-id,Values=$1" --query 'DBInstances[].DBInstanceStatus'
  # A member that joins can come up pending-reboot: its owners see to that.
  for n in $(seq 1 "$3"); do
    until_equal "$1-$n" available aws rds describe-db-instances --db-instance-identifier "$1-$n" \
      --query 'DBInstances[0].DBInstanceStatus' --output text
    [ "$(statuses "$1" | tr '\t' '\n' | grep -c pending-reboot)" = 0 ] ||
      aws rds reboot-db-instance --db-instance-identifier "$1-$n"
  done
  until_equal "members of $1" "$(words "$3" in-sync)" statuses "$1"
  until_equal "members of $1" "$(words "$3" available)" aws rds describe-db-instances --output text \
    --filters "Name=db-cluster-id,Values=$1" --query 'DBInstances[].DBInstanceStatus'
}

# described <name...>: all that AWS says of clusters but the clock and the writer; and of the group of the first.
described() {
  local group
  for name in "$@"; do
    aws rds describe-db-clusters --db-cluster-identifier "$name" |
      grep -v -e '"LatestRestorableTime"' -e '"IsClusterWriter"'
  done
  group=$(aws rds describe-db-clusters --db-cluster-identifier "$1" \
    --query 'DBClusters[0].DBClusterParameterGroup' --output text)
  aws rds describe-db-cluster-parameters --db-cluster-parameter-group-name "$group" --source user
}

# wire_and_unwire <stack> <members> <group while wired> <note in the plan> <cluster> <other clusters...>
wire_and_unwire() {
  local stack=$1 members=$2 group=$3 note=$4 cluster=$5 role
  shift 4
  role=arn:aws:iam::111122223333:role/auroraml/$stack/us-east-1/$stack-us-east-1-sagemaker
  sed -e "s/^stack: .*/stack: $stack/" -e "s/^region: .*/region: us-east-1/" \
    -e "s/database-aurora-ml/$cluster/" "$specs/existing-cluster.yaml" > "$stack.yaml"
  grep -q "existing: $cluster" "$stack.yaml" || fail "$stack: the spec is not about $cluster"

  serve
  described "$@" > "$stack.before"
  unserve
  auroraml plan "$stack.yaml" > "$stack.plan" || fail "plan $stack"
  grep -q "$note" "$stack.plan" || fail "$stack: the plan does not say '$note': $(cat "$stack.plan")"
  auroraml apply "$stack.yaml" --yes --allow restart > "$stack.log" 2>&1 || fail "apply $stack: $(cat "$stack.log")"
  serve
  # No waiting here: that is what apply is for.
  [ "$(statuses "$cluster" | tr '\t' ' ')" = "$(words "$members" in-sync)" ] || fail "$stack is not in-sync"
  until_equal "group of $cluster" "$group" aws rds describe-db-clusters --db-cluster-identifier "$cluster" \
    --query 'DBClusters[0].DBClusterParameterGroup' --output text
  until_equal "role of $cluster" "$role ACTIVE" aws rds describe-db-clusters --db-cluster-identifier "$cluster" \
    --query 'DBClusters[0].AssociatedRoles[?ends_with(RoleArn, `sagemaker`)].[RoleArn,Status]' --output text
  until_equal "parameter of $cluster" "$role" aws rds describe-db-cluster-parameters --output text \
    --db-cluster-parameter-group-name "$group" \
    --query 'Parameters[?ParameterName==`aws_default_sagemaker_role`].ParameterValue'
  unserve
  auroraml plan "$stack.yaml" --detailed-exitcode > "$stack.plan" || fail "the next plan of $stack: $(cat "$stack.plan")"
  auroraml destroy "$stack.yaml" --yes --allow restart > "$stack.log" 2>&1 || fail "destroy $stack: $(cat "$stack.log")"
  serve
  described "$@" > "$stack.after"
  unserve
  diff "$stack.before" "$stack.after" > "$stack.diff" || fail "$stack: not as it was: $(cat "$stack.diff")"
  echo "== $stack: $members members, $group: as it was"
}

echo "== a network, two groups, five clusters"
serve
{
  vpc=$(aws ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
  until_equal "vpc" available aws ec2 describe-vpcs --filters "Name=vpc-id,Values=$vpc" --query 'Vpcs[0].State' --output text
  one=$(aws ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId --output text)
  two=$(aws ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b --query Subnet.SubnetId --output text)
  until_equal "subnets" 2 aws ec2 describe-subnets --filters "Name=vpc-id,Values=$vpc" --query 'length(Subnets)' --output text
  aws rds create-db-subnet-group --db-subnet-group-name existing --db-subnet-group-description "Existing" \
    --subnet-ids "$one" "$two"
  make_group of-the-article
  make_group of-many
} > out
makers=()
make_cluster database-aurora-ml of-the-article 2 > out.1 & makers+=($!)
make_cluster lonely default.aurora-mysql8.0 1 > out.2 & makers+=($!)
make_cluster crowd of-many 4 > out.3 & makers+=($!)
make_cluster orders-db of-many 1 > out.4 & makers+=($!)
make_cluster billing-db of-many 1 > out.5 & makers+=($!)
for maker in "${makers[@]}"; do wait "$maker"; done

unserve

wire_and_unwire article 2 of-the-article "set in of-the-article itself" database-aurora-ml
wire_and_unwire single 1 single "default.* groups cannot be changed" lonely
wire_and_unwire many 4 many "shared with billing-db, orders-db" crowd billing-db orders-db
echo "existing.sh: done"
