"""More requests than the service can read, for minutes: ``pip install -e .[load]``, ``python -m benchmarks.load``.

What must hold: no 5xx but the stated overload (503 deadline-passed), admitted requests whose p99 is below ten
times the p50 of an idle service, and that p50 again at once when the callers are gone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

from tests.serving import whosaid

TEXT = "The harbour will reopen on Monday, Mayor Ines Duarte said. “We are ready,” she added. " * 3


def alone(address: str, number: int = 30) -> list[float]:
    """Seconds that requests take one after the other."""
    taken = []
    for place in range(number):
        body = json.dumps({"text": f"{TEXT} {place}"}).encode()
        request = urllib.request.Request(address + "/v1/analyses", body, {"Content-Type": "application/json"})  # noqa: S310
        begun = time.monotonic()
        with urllib.request.urlopen(request) as response:  # noqa: S310
            response.read()
        taken.append(time.monotonic() - begun)
    return taken


def press(address: str, seconds: int, callers: int, folder: Path) -> list[tuple[float, int, float]]:
    """Let locust's callers ask: when, with which status and after how long each was answered."""
    results = folder / "results.json"
    users = Path(__file__).with_name("load_users.py")
    command = [sys.executable, "-m", "locust", "-f", users, "--headless", "--host", address, "--only-summary"]
    command += ["-u", str(callers), "-r", str(callers), "-t", f"{seconds}s", "--stop-timeout", "60"]
    subprocess.run(command, env=os.environ | {"LOAD_RESULTS": str(results)}, check=True, stdout=subprocess.DEVNULL)
    found: list[tuple[float, int, float]] = json.loads(results.read_text(encoding="utf-8"))
    return found


def main() -> int:
    """Measure; 1 if something does not hold."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--callers", type=int, default=32)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        database = f"sqlite:///{name}/whosaid.db"
        with whosaid(database_url=database, batch_workers=0, log_level="error") as address:
            alone(address, 5)
            idle = statistics.median(alone(address))
            found = press(address, round(asked.minutes * 60), asked.callers, Path(name))
            after = statistics.median(alone(address, 10))
    statuses = Counter(status for _, status, _ in found)
    admitted = sorted(took for _, status, took in found if status == 200)
    p99 = admitted[int(0.99 * len(admitted))]
    bad = {status: number for status, number in statuses.items() if (status >= 500 and status != 503) or status == 0}
    print(f"idle p50 {1000 * idle:.0f} ms; {len(found):,} requests: {dict(statuses)}")
    p50 = statistics.median(admitted)
    print(f"admitted: p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms, {p99 / idle:.1f} x the idle p50")
    print(f"afterwards p50 {1000 * after:.0f} ms, {after / idle:.2f} x; wrong: {bad or 'nothing'}")
    return 1 if bad or p99 >= 10 * idle or after > 2 * idle else 0


if __name__ == "__main__":
    sys.exit(main())
