"""Settings: read once, at start, into one frozen object.

Each comes from an environment variable, ``WHOSAID_`` and its name in capitals; docs/settings.md
lists them all, and a test compares that table with this file.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, get_args, get_type_hints

from models.records import HABITS, Habit

KeysNeeded = Literal["auto", "on", "off"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "json", "console"]

PREFIX = "WHOSAID_"

_OF_A_SERVICE = re.compile(PREFIX + r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
"""Variables that Kubernetes puts into each container for a Service called ``whosaid`` or ``whosaid-…``."""


class SettingsError(Exception):
    """A setting has a value that it cannot have; the message names both."""


def _setting(
    default: Any, doc: str, *, least: int | None = None, most: int | None = None, pattern: str | None = None
) -> Any:
    return field(default=default, metadata={"doc": doc, "least": least, "most": most, "pattern": pattern})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "Port to listen on; 0 takes a free one.", least=0, most=65535)
    workers: int = _setting(1, "Processes; each loads its own model.", least=1, most=256)
    threads: int = _setting(
        0,
        "Cores that each process reads with; 0 shares out all cores among the processes.",
        least=0,
        most=1024,
    )
    weights: str = _setting("", "Folder of the trained weights; empty for those that whosaid ships.")
    habit: Habit = _setting(HABITS[0], "Whose way of marking attributions is followed where a request says nothing.")
    database_url: str = _setting(
        "sqlite:///whosaid.db",
        "Where articles are kept: `sqlite:///file`, on a local disk, or `postgresql://user@host/name`.",
    )
    max_body_bytes: int = _setting(1_000_000, "The longest request body.", least=1, most=1_000_000_000)
    idempotency_hours: int = _setting(
        24,
        "How long answers to requests with an Idempotency-Key are given again.",
        least=1,
        most=8760,
    )
    max_waiting: int = _setting(
        4,  # whoever waits longer than a few readings is better told to come back
        "Requests of one process that may wait for their turn to be read; the next ones get 429.",
        least=0,
        most=1000,
    )
    timeout: int = _setting(120, "Seconds after which a process that shows no life is replaced.", least=1, most=86_400)
    deadline: int = _setting(
        60,
        "Seconds after which a request that still waits for its turn to be read gets 503.",
        least=1,
        most=86_400,
    )
    keys: KeysNeeded = _setting(
        "auto",
        "Whether requests need an API key: `on`, `off`, or `auto`: on unless only this machine can reach the host.",
    )
    requests_per_minute: int = _setting(
        600,
        "Requests that a key may send in a minute, unless it has its own limit; 0 for no limit.",
        least=0,
        most=10**9,
    )
    characters_per_day: int = _setting(
        0,
        "Code points of articles that are read for a key in a day (UTC), unless it has its own limit; 0 for no limit.",
        least=0,
        most=10**15,
    )
    cors_origins: str = _setting(
        "",
        "Origins, separated by commas, whose pages may call this service from a browser: `https://news.example`.",
        pattern=r"(https?://[\w.:\[\]-]+(, *|$))*",
    )
    trusted_proxies: int = _setting(
        0, "Proxies in front of this service whose X-Forwarded-For and the like are believed.", least=0, most=10
    )
    log_level: LogLevel = _setting("info", "The least that is logged: `debug`, `info`, `warning` or `error`.")
    log_format: LogFormat = _setting(
        "auto", "How lines are written: `json`, `console`, or `auto`: for people on a terminal, else JSON."
    )
    drain_seconds: int = _setting(
        2,
        "Seconds between SIGTERM, when /readyz begins to answer 503, and the end of taking new connections.",
        least=0,
        most=600,
    )
    stop_seconds: int = _setting(
        30, "Seconds that requests in flight have to come to an end when the service stops.", least=1, most=3_600
    )
    broker_url: str = _setting(
        "",
        "Broker of batches: `redis://host/0` or `amqp://user:password@host//`; empty for the embedded one, a file.",
    )
    broker_queue: str = _setting(
        "whosaid", "The queue's name; several whosaids that share a broker need different ones."
    )
    data_folder: str = _setting(
        "",
        "Folder on a local disk for uploads and the embedded broker; empty for that of the embedded database.",
    )
    batch_workers: int = _setting(
        1, "Processes beside the service that read batches; 0 leaves that to `whosaid worker`.", least=0, most=256
    )
    batch_lease: int = _setting(
        30, "Seconds after which a worker that shows no life loses the articles that it has.", least=2, most=3600
    )
    article_timeout: int = _setting(
        300,
        "Seconds that a worker may take for an article of a batch; one that takes longer is reported.",
        least=1,
        most=86_400,
    )
    max_batch_bytes: int = _setting(10_000_000_000, "The longest archive, as sent and unpacked.", least=1, most=10**13)
    max_gzip_ratio: int = _setting(
        100, "To how many times its size a body or an archive may unpack.", least=1, most=1100
    )
    keep_batches: int = _setting(
        30, "Days after its end when a batch is removed with its results; 0 keeps all.", least=0, most=36_500
    )
    callback_hosts: str = _setting(
        "", "Hosts, with commas between them, that callbacks may reach though their addresses are internal."
    )

    @property
    def needs_key(self) -> bool:
        """Whether requests need an API key: unless it is said, they do when others than this machine can come."""
        if self.keys != "auto":
            return self.keys == "on"
        try:
            return not (self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback)
        except ValueError:
            return True


def documentation() -> list[tuple[str, str, str]]:
    """Variable, default and meaning of each setting."""
    return [(PREFIX + one.name.upper(), str(one.default), one.metadata["doc"]) for one in fields(Settings)]


def as_environment(settings: Settings) -> dict[str, str]:
    """The variables that give the same settings to another process."""
    return {PREFIX + name.upper(): str(value) for name, value in vars(settings).items()}


def load_settings(overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment.

    Args:
        overrides: Values by name that win over the environment; None counts as not given.
        environ: The environment; None for the process's own.

    Raises:
        SettingsError: A value cannot be used, or there is no such setting.
    """
    environ = os.environ if environ is None else environ
    known = {one.name: one for one in fields(Settings)}
    values: dict[str, Any] = {}
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and not _is_of_kubernetes(variable, value):
            name = variable.removeprefix(PREFIX).lower()
            if name not in known:
                raise SettingsError(f"there is no setting {variable}; docs/settings.md lists them all")
            values[name] = _read(variable, known[name], value)
    for name, value in (overrides or {}).items():
        if name not in known:
            raise SettingsError(f"there is no setting {name}")
        if value is not None:
            values[name] = _read(name, known[name], str(value))
    return Settings(**values)


def bounds(name: str) -> tuple[int, int]:
    """The least and the most that a setting which is a whole number may be."""
    (one,) = (one for one in fields(Settings) if one.name == name)
    return one.metadata["least"], one.metadata["most"]


def _is_of_kubernetes(variable: str, value: str) -> bool:
    """Whether a variable tells of a Service and is nobody's setting, though its name begins like one."""
    is_address = variable.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    return is_address or _OF_A_SERVICE.fullmatch(variable) is not None


def _read(shown: str, one: Field[Any], value: str) -> Any:
    kind = get_type_hints(Settings)[one.name]
    if choices := get_args(kind):
        if value not in choices:
            raise SettingsError(f"{shown} must be one of {', '.join(choices)}, not {value!r}")
        return value
    if (pattern := one.metadata["pattern"]) and not re.fullmatch(pattern, value):
        raise SettingsError(f"{shown} is not as it should be: {one.metadata['doc']} It is {value!r}")
    if kind is not int:
        return value
    least, most = bounds(one.name)
    try:
        number = int(value)
    except ValueError:
        raise SettingsError(f"{shown} must be a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise SettingsError(f"{shown} must be between {least} and {most}, not {number}")
    return number
