#!/usr/bin/env bash
# Make a Python and a TypeScript client from openapi.yaml and check their types:
#   tools/generate_clients.sh FOLDER        (FOLDER/python and FOLDER/typescript, made anew)
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
mkdir -p "$1"
out=$(cd "$1" && pwd)
rm -rf "${out:?}/python" "${out:?}/typescript"
cp -r tests/clients/python tests/clients/typescript "$out"

cd "$out/python"
"${PYTHON:-python3}" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
PATH="$PWD/.venv/bin:$PATH" openapi-python-client generate --path "$root/openapi.yaml" --config generator.yaml \
    --meta none --output-path whosaid_client --fail-on-warning
.venv/bin/mypy --config-file mypy.ini whosaid_client story.py

cd "$out/typescript"
npm ci --silent --no-audit --no-fund
npx openapi-typescript "$root/openapi.yaml" --output schema.d.ts --default-non-nullable=false
npx tsc --project .
echo "clients are in $out"
