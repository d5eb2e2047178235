"""The callers of benchmarks/load.py, for locust: each asks for an analysis, again and again, and minds Retry-After."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from locust import HttpUser, constant, events, task

TEXT = (
    "The harbour will reopen on Monday, Mayor Ines Duarte said. “We are ready,” she added. Ships that wait outside "
    "may come in from noon, according to the port authority. Captain Rui Salgado said that he had never waited so long."
)
_found: list[tuple[float, int, float]] = []


class Caller(HttpUser):
    """Somebody who wants articles read."""

    wait_time = constant(0)

    @task
    def analyse(self) -> None:
        """Ask for one, and come again when told to."""
        begun = time.monotonic()
        with self.client.post("/v1/analyses", json={"text": TEXT}, catch_response=True) as response:
            response.success()
            _found.append((time.time(), response.status_code, time.monotonic() - begun))
        if response.status_code != 200:
            time.sleep(float(response.headers.get("Retry-After", 1)))


@events.quitting.add_listener
def _write(**_: Any) -> None:
    with open(os.environ["LOAD_RESULTS"], "w", encoding="utf-8") as file:
        json.dump(_found, file)
