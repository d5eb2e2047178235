"""How many cores this process may use: those that it is bound to, or fewer where its container has a quota."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def cores() -> int:
    """Whole cores, at least one."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    granted = quota(_CGROUPS, _OWN)
    # More threads than the quota pays for would all stand still together for the rest of each period.
    return bound if granted is None else max(1, min(bound, int(granted)))


def quota(cgroups: Path, own: Path) -> float | None:
    """The share of cores that control groups grant; None if they set no bound.

    Args:
        cgroups: Where control groups are mounted.
        own: What names this process's own group.
    """
    try:
        places = [line.split(":", 2) for line in own.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        places = []
    found = []
    for _, controllers, path in places:
        root = cgroups / "cpu" if "cpu" in controllers.split(",") else cgroups if not controllers else None
        if root is None:
            continue
        # In a container the path is often that of the machine outside, and its own group the root.
        group = root / path.lstrip("/")
        found += [_granted(one) for one in {root, *(up for up in (group, *group.parents) if up.is_relative_to(root))}]
    return min((one for one in found if one is not None), default=None)


def _granted(group: Path) -> float | None:
    try:
        if (new := group / "cpu.max").is_file():
            granted, period = new.read_text(encoding="ascii").split()
        else:
            granted = (group / "cpu.cfs_quota_us").read_text(encoding="ascii")
            period = (group / "cpu.cfs_period_us").read_text(encoding="ascii")
        return int(granted) / int(period) if int(granted) > 0 else None
    except (OSError, ValueError):  # no such file, or max
        return None
