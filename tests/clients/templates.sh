#!/usr/bin/env bash
# Judges of templates/ that are not ours: cfn-lint and checkov for CloudFormation, the published schemas for pipelines.
# usage: templates.sh FOLDER-OF-THE-JUDGES; a template is known by its name.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="$1/bin"
shopt -s nullglob

for template in templates/*.yaml; do
  case "$(basename "$template")" in
    github-*) "$bin/check-jsonschema" --builtin-schema vendor.github-workflows "$template" ;;
    gitlab-*) "$bin/check-jsonschema" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$template" ;;
    codebuild-*) "$bin/check-jsonschema" --schemafile tests/clients/buildspec.schema.json "$template" ;;
    *)
      "$bin/cfn-lint" "$template"
      # Its rules are in the package: it is to ask nobody. What is suppressed is said in the template, with the reason.
      "$bin/checkov" --file "$template" --framework cloudformation --compact --quiet --skip-download
      ;;
  esac
  echo "$template is accepted"
done
"$bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
