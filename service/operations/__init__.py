"""What operators look at: logs, metrics, traces, and the folder that processes share their counts in."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from service.config import SettingsError

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which prometheus-client expects the folder, when it is imported."""
_OURS = "whosaid-metrics-"
_COUNTS: Final = re.compile(r"(counter|histogram|summary|gauge_\w+)_\d+\.db")
"""How prometheus-client calls its files. Whoever names a folder may have databases in it, which are .db as well."""


def share_counts() -> Path:
    """Make an empty folder in which the processes to be forked count together.

    prometheus-client looks for it once, so this comes before ``service.operations.metrics`` is imported.

    Raises:
        SettingsError: There can be no such folder.
    """
    folder = Path(os.environ.get(SHARED) or tempfile.mkdtemp(prefix=_OURS))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in folder.iterdir():
            if _COUNTS.fullmatch(one.name):
                one.unlink()
    except OSError as error:
        raise SettingsError(f"{SHARED}: the folder {folder} cannot be used: {error.strerror}") from None
    os.environ[SHARED] = str(folder)
    return folder


def forget_counts() -> None:
    """Remove the folder, if it was made here."""
    folder = Path(os.environ[SHARED])
    if folder.name.startswith(_OURS):
        shutil.rmtree(folder, ignore_errors=True)
