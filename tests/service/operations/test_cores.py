"""A container's quota counts, in both kinds of control groups, wherever it is set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.operations import cores as counted
from service.operations.cores import cores, quota


@pytest.mark.parametrize(
    ("own", "files", "granted"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3.0),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 100000\n", "a/cpu.max": "300000 100000\n"}, 1.0),
        ("0::/outside/x\n", {"cpu.max": "200000 100000\n"}, 2.0),
        ("1:cpu,cpuacct:/a\n0::/\n", {"cpu/a/cpu.cfs_quota_us": "50000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 0.5),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("2:memory:/a\n", {"memory/a/cpu.max": "1 1\n"}, None),
        ("", {"cpu.max": "100000 100000\n"}, None),
    ],
)
def test_the_smallest_quota_counts(tmp_path: Path, own: str, files: dict[str, str], granted: float | None) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "own").write_text(own)
    assert quota(tmp_path, tmp_path / "own") == granted


def test_at_least_one_core_and_no_more_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = len(os.sched_getaffinity(0))
    for granted, expected in ((None, bound), (0.5, 1), (1.9, 1), (1000.0, bound)):
        monkeypatch.setattr(counted, "quota", lambda *_, granted=granted: granted)
        assert cores() == expected
