#!/usr/bin/env bash
# Judges of templates that are not ours: cfn-lint and checkov for CloudFormation, the published schemas for pipelines.
# templates/ is what users copy, each known by its name; tests/data/export/ is what `auroraml export` writes for each spec.
# usage: templates.sh FOLDER-OF-THE-JUDGES
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

# Templates of the example specs, which users copy with them.
"$bin/cfn-lint" specs/*/*.yaml
"$bin/checkov" --directory specs --framework cloudformation --compact --quiet --skip-download
echo "the templates in specs are accepted"

# Warnings count too. What checkov finds and a spec wants otherwise is said on the resource, with the reason.
"$bin/cfn-lint" tests/data/export/*.yaml
"$bin/checkov" --directory tests/data/export --framework cloudformation --compact --quiet --skip-download
echo "tests/data/export is accepted"
"$bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
