# What the scripts of this folder share. To be sourced by one of them, which has AWS_ENDPOINT_URL or sets it later.
set -euo pipefail
export AWS_PAGER=""
script=$(basename "$0")

# The AWS CLI of version 1 does not heed AWS_ENDPOINT_URL for RDS in us-east-1 (it has an address of its own
# for that, awscli/customizations/overridesslcommonname.py), but it heeds the option.
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }

fail() { echo "$script: $*" >&2; exit 1; }

# until_equal <what> <expected> <command...>: repeats the command until it prints what is expected.
until_equal() {
  local what=$1 expected=$2 got=""
  shift 2
  for _ in $(seq 1 60); do
    got=$("$@" | tr '\t\n' '  ' | sed 's/ *$//') || fail "$what: the command failed"
    [ "$got" = "$expected" ] && return 0
    sleep 0.2
  done
  fail "$what: expected '$expected', got '$got'"
}
