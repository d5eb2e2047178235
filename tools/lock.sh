#!/usr/bin/env bash
# Resolve the dependencies of pyproject.toml into exact versions, in a fresh environment.
# torch comes first and exactly: anything later would pull a build with gigabytes of GPU libraries.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
pip() { "$work/venv/bin/pip" --disable-pip-version-check "$@"; }
freeze() { pip freeze --exclude-editable --exclude whosaid | grep -v -E '^(pip|-e)\b' | sed -E 's/\+cpu$//; s/ @ .*//' | LC_ALL=C sort -f; }
pip install --quiet torch==2.13.0 'setuptools>=77'
pip install --quiet -e .
{ echo "# Everything that serving needs.  Made by: make lock"; freeze; echo "setuptools==$(pip show setuptools | sed -n 's/^Version: //p')"; } | awk '!seen[$0]++' > requirements.lock
pip install --quiet -e '.[dev]'
{ echo "# Everything that tests and training need.  Made by: make lock"; freeze; echo "setuptools==$(pip show setuptools | sed -n 's/^Version: //p')"; } | awk '!seen[$0]++' > requirements-dev.lock
