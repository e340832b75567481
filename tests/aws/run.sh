#!/usr/bin/env bash
# Runs auroraml against AWS itself, for a person who has an account to try it in. Never part of CI.
#
#   bash tests/aws/run.sh                        in the account and region of your AWS configuration
#   bash tests/aws/run.sh --to http://127.0.0.1:4599   a trial run, against `auroraml sandbox --listen 127.0.0.1:4599`
#
# Needs a python with boto3 (tests/clients/requirements.txt) and the binary (AURORAML, or target/release/auroraml).
set -euo pipefail
self=$(realpath "$0")
cd "$(dirname "$self")/../.."
python=${AURORAML_TEST_PYTHON:-python3}
export AURORAML=${AURORAML:-$PWD/target/release/auroraml}
[ -x "$AURORAML" ] || { echo "run.sh: there is no $AURORAML: cargo build --release" >&2; exit 1; }
"$python" -c 'import boto3' || { echo "run.sh: there is no boto3: set AURORAML_TEST_PYTHON" >&2; exit 1; }

if [ "${1:-}" != --inside ]; then
  export python
  export JUDGE_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
  # Not the time alone: two people of one account may run this at once.
  export JUDGE_ID="judge-$("$python" -c 'import secrets; print(secrets.token_hex(3))')"
  recording="tests/aws/recordings/$(date -u +%Y-%m-%d)-$JUDGE_REGION.jsonl"
  to=()
  where="AWS, region $JUDGE_REGION, with the credentials that your AWS configuration gives"
  if [ "${1:-}" = --to ]; then
    to=(--to "${2:?--to needs an address}")
    where="$2 (a trial run)"
    recording=$(mktemp --suffix .jsonl)
  fi
  cat << TEXT
This runs auroraml against $where.

It makes, one after the other, and deletes again:
  $JUDGE_ID           specs/minimal.yaml: a VPC, an interface endpoint, an Aurora cluster of one db.t4g.medium, a secret, a role
  $JUDGE_ID-existing  a VPC and a cluster of one db.t4g.medium, made without auroraml, which auroraml wires and unwires
It takes about an hour, and costs about one dollar if nothing goes wrong. If it stops half way, run
  $AURORAML destroy (the spec that it names), and look for $JUDGE_ID in the RDS and VPC consoles.
The shape of every request and answer is kept in $recording:
no account, names, addresses, messages or secrets.
TEXT
  read -r -p "Type yes to go on: " answer
  [ "$answer" = yes ] || { echo "nothing was done"; exit 1; }
  mkdir -p "$(dirname "$recording")"
  "$python" tests/aws/record.py "$recording" "${to[@]}" -- bash "$self" --inside
  echo "recorded: $recording ($(wc -l < "$recording") requests)"
  if grep -q -i -e "$JUDGE_ID" -e 'arn:' -e '[0-9]\{12\}' "$recording"; then
    rm "$recording"
    echo "run.sh: the recording named something of the account, and was deleted: please report it" >&2
    exit 1
  fi
  exit 0
fi

# From here on AWS_ENDPOINT_URL is the recorder's.
work=$(mktemp -d)
other() { "$python" tests/aws/other.py "$@"; }
made=""
end() {
  status=$?
  for spec in $made; do
    echo "== taking down what is left of $spec"
    "$AURORAML" destroy "$spec" --yes --allow restart || status=1
  done
  other remove "$JUDGE_ID-existing" "$JUDGE_REGION" || status=1
  exit $status
}
trap end EXIT

# The endpoint is nobody's here: verify says that it is missing, and must find no other fault.
verify() {
  "$AURORAML" verify "$1" > "$work/verify" 2>&1 || true
  cat "$work/verify"
  grep -q . "$work/verify" || { echo "run.sh: verify said nothing" >&2; return 1; }
}

life() {
  local spec=$1
  shift
  made=$spec
  echo "== apply"
  "$AURORAML" apply "$spec" --yes "$@"
  echo "== the next plan is empty"
  "$AURORAML" plan "$spec" --detailed-exitcode
  echo "== verify"
  verify "$spec"
  echo "== destroy"
  "$AURORAML" destroy "$spec" --yes "$@"
  made=""
}

echo "== $JUDGE_ID: a stack of its own"
sed -e "s/^stack: .*/stack: $JUDGE_ID/" -e "s/^region: .*/region: $JUDGE_REGION/" specs/minimal.yaml > "$work/own.yaml"
life "$work/own.yaml"
other audit "$JUDGE_ID" "$JUDGE_REGION"

echo "== $JUDGE_ID-existing: a cluster of somebody else"
other make "$JUDGE_ID-existing" "$JUDGE_REGION"
sed -e "s/^stack: .*/stack: $JUDGE_ID-wiring/" -e "s/^region: .*/region: $JUDGE_REGION/" \
  -e "s/database-aurora-ml/$JUDGE_ID-existing/" specs/existing-cluster.yaml > "$work/wiring.yaml"
life "$work/wiring.yaml" --allow restart
other audit "$JUDGE_ID-wiring" "$JUDGE_REGION"
echo "== done: nothing of $JUDGE_ID is left but what is taken down now"
