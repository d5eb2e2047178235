#!/bin/sh
# The image's install steps, the same for `docker build` and for tools/check_image.sh.
#   image_install.sh dependencies | code        (in the folder that holds the files)
set -eu
case "$1" in
dependencies)
    "${PYTHON:-python3}" -m venv .venv
    .venv/bin/pip install --quiet --no-cache-dir -r requirements.lock
    ;;
code)
    .venv/bin/pip install --quiet --no-cache-dir --no-deps --no-build-isolation .
    ;;
*)
    echo "image_install.sh: dependencies or code, not $1" >&2
    exit 2
    ;;
esac
