#!/usr/bin/env bash
# Fetches Mermaid (MIT) as one script by npm, into the folder that is named: `mermaid.sh FOLDER`. A judge for what `graph`
# prints; nothing of it is shipped.
set -euo pipefail
version=11.6.0
sha512=3c4f21194cb52c39562075813f4e5215da941c699170270ae08ce938a3c4df978ec3e1bdcd981c9cca72ba72555043a06fffca04e44f8f2b0a9ddc3c6c52ee46
folder="$1"
mkdir -p "$folder"
npm pack --silent --pack-destination "$folder" "mermaid@$version" >/dev/null
echo "$sha512  $folder/mermaid-$version.tgz" | sha512sum --check --quiet
tar -xzf "$folder/mermaid-$version.tgz" -C "$folder" --strip-components 2 package/dist/mermaid.min.js
rm "$folder/mermaid-$version.tgz"
