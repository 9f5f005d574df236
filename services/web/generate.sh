#!/usr/bin/env bash
# Generates the TypeScript messages and services of all protos. Usage: ../generate.sh OUT (from a front end's folder).
# The result is not committed: it is made at each build from the protos of this very tree.
set -euo pipefail
out="$(realpath -m "${1:?usage: generate.sh OUT}")"
web="$(cd "$(dirname "$0")" && pwd)"
proto="$web/../../proto"
command -v protoc >/dev/null || { echo "generate.sh: protoc is missing (Debian: protobuf-compiler libprotobuf-dev)" >&2; exit 1; }
rm -rf "$out"
mkdir -p "$out"
# shellcheck disable=SC2046
protoc -I "$proto" --plugin=protoc-gen-es="$web/node_modules/.bin/protoc-gen-es" \
  --es_out="$out" --es_opt=target=ts,import_extension=none $(cd "$proto" && find voltwell -name '*.proto' | sort)
