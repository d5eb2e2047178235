#!/usr/bin/env bash
# The image's steps without Docker: install from the lock, become an ordinary user, start, ask.
set -euo pipefail
cd "$(dirname "$0")/.."
image=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$image"
}
trap stop EXIT
chmod 755 "$image"
mkdir "$image/data"
chmod 777 "$image/data"

# The service starts workers with the Python that runs it: an ordinary user must be able to, wherever root has its own.
user=""
[ "$(id -u)" != 0 ] || user="setpriv --reuid=65534 --regid=65534 --clear-groups"
PYTHON=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
(cd / && $user sh -c 'test -x "$0"' "$PYTHON") || PYTHON=/usr/bin/python3
export PYTHON

# As the Dockerfile copies them.
cp requirements.lock tools/image_install.sh "$image"
(cd "$image" && sh image_install.sh dependencies)
cp -r pyproject.toml README.md models service "$image"
(cd "$image" && sh image_install.sh code)

# As the Dockerfile runs them: no home, no rights, its own port.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_user() { cd / && exec env -i PATH=/usr/bin:/bin WHOSAID_PORT="$port" WHOSAID_DATABASE_URL="sqlite:///$image/data/whosaid.db" WHOSAID_DATA_FOLDER="$image/data" $user "$@"; }
(as_user "$image/.venv/bin/whosaid" serve) &
server=$!
for _ in $(seq 60); do
    if (as_user "$image/.venv/bin/python" -m service.healthcheck); then
        python3 - "$port" <<'PYTHON'
import json, sys, urllib.request

body = json.dumps({"text": "“We will rebuild,” said Amara Diallo."}).encode()
request = urllib.request.Request(
    f"http://127.0.0.1:{sys.argv[1]}/v1/analyses", body, {"Content-Type": "application/json"}
)
found = json.load(urllib.request.urlopen(request))["attributions"]
assert [span["text"] for span in found[0]["source"]] == ["Amara Diallo"], found
PYTHON
        kill "$server"
        wait "$server"  # a clean stop is part of what is checked
        server=
        echo "the image's steps work"
        exit 0
    fi
    kill -0 "$server" || { echo "the server has stopped" >&2; exit 1; }
    sleep 1
done
echo "the server is not ready after 60 tries" >&2
exit 1
