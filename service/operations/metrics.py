"""The metrics, for Prometheus; docs/operations.md lists them, and a test compares the two.

Under ``whosaid serve`` each process counts for itself, in the folder of ``service.operations.share_counts``,
and whichever is asked adds all of them up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.operations import SHARED

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120)

REQUEST_SECONDS: Final = Histogram(
    "http_server_request_duration_seconds",
    "Seconds that requests took, by the template of their path.",
    ("http_request_method", "http_route", "http_response_status_code"),
    buckets=_SECONDS,
)
STAGE_SECONDS: Final = Histogram(
    "whosaid_stage_duration_seconds",
    "Seconds that stages of the work took: page, read, store and others.",
    ("stage",),
    buckets=_SECONDS,
)
WAITING: Final = Gauge(
    "whosaid_requests_waiting", "Requests that wait for their turn to be read.", multiprocess_mode="livesum"
)
READING: Final = Gauge("whosaid_requests_reading", "Requests that are being read.", multiprocess_mode="livesum")
REFUSED: Final = Counter(
    "whosaid_requests_refused", "Requests that were sent away, by the name of the problem.", ("problem",)
)
ARTICLES_READ: Final = Counter("whosaid_articles_read", "Articles that were read for requests.")
CHARACTERS_READ: Final = Counter("whosaid_characters_read", "Code points of the articles that were read for requests.")
QUEUE_DEPTH: Final = Gauge(
    "whosaid_queue_depth", "Articles of batches that are not done.", multiprocess_mode="mostrecent"
)
BATCH_ITEMS: Final = Counter(
    "whosaid_batch_items", "Articles of batches that came to an end, by how: done, failed.", ("state",)
)
BATCH_SIZE: Final = Histogram(
    "whosaid_batch_size",
    "Articles of each batch that was handed in.",
    buckets=(1, 10, 100, 1_000, 10_000, 100_000, 1_000_000),
)


def scrape(refresh: Iterable[Callable[[], None]] = ()) -> bytes:
    """All metrics of all processes, in Prometheus' text format.

    Args:
        refresh: Called first: they set the gauges that tell of what all processes share.
    """
    for one in refresh:
        one()
    if SHARED not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
