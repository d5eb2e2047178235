"""What operators look at: logs, metrics, traces, and the folder that processes share their counts in."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which prometheus-client expects the folder, when it is imported."""
_OURS = "whosaid-metrics-"


def share_counts() -> Path:
    """Make an empty folder in which the processes to be forked count together.

    prometheus-client looks for it once, so this comes before ``service.operations.metrics`` is imported.
    """
    folder = Path(os.environ.get(SHARED) or tempfile.mkdtemp(prefix=_OURS))
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob("*.db"):
        left_over.unlink()
    os.environ[SHARED] = str(folder)
    return folder


def forget_counts() -> None:
    """Remove the folder, if it was made here."""
    folder = Path(os.environ[SHARED])
    if folder.name.startswith(_OURS):
        shutil.rmtree(folder, ignore_errors=True)
