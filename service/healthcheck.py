"""``python -m service.healthcheck``: exits with 0 if the whosaid that these settings describe is ready."""

from __future__ import annotations

import http.client
import sys

from service.config import load_settings


def main() -> int:
    """Ask /readyz."""
    settings = load_settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    try:
        connection = http.client.HTTPConnection(host, settings.port, timeout=4)
        connection.request("GET", "/readyz")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
