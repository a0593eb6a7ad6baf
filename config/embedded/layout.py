"""Where the embedded servers keep and offer things, worked out by looking only: nothing is created or started."""

import hashlib
import os
import pwd
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.embedded.errors import EmbeddedError

DATABASE = ROLE = "entrepot"
ASIDE = Path("/var/lib/entrepot")
PLAIN_PATH = re.compile(r"[\w/ .+@=~-]+")  # libpq and PostgreSQL read commas and quotes in a socket's path as syntax
SOCKET_PATH_LIMIT = 100  # bytes; sockaddr_un holds 107 on Linux and 103 elsewhere


@dataclass(frozen=True)
class RunUser:
    """The unprivileged user that root hands the servers to: PostgreSQL refuses to run as uid 0."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Layout:
    """The folders of one data directory. `home` differs from `data_dir` only for root, see `locate`."""

    data_dir: Path
    home: Path
    run: Path
    run_user: RunUser | None

    @property
    def postgres_data(self) -> Path:
        return self.home / "postgres"

    @property
    def redis_data(self) -> Path:
        return self.home / "redis"

    @property
    def redis_socket(self) -> Path:
        return self.run / "redis.sock"

    @property
    def logs(self) -> Path:
        return self.data_dir / "log"


@dataclass(frozen=True)
class Addresses:
    """What settings need to reach the servers of a data directory."""

    postgres: dict[str, Any]
    broker_url: str
    cache_url: str
    redis_socket: Path


def default_data_dir() -> Path:
    checkout = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("ENTREPOT_DATA_DIR") or checkout / "var")


def addresses(data_dir: Path) -> Addresses:
    """The addresses of the servers of `data_dir`, whether they run or not."""
    layout = locate(data_dir)
    socket = quote(str(layout.redis_socket))
    return Addresses(
        postgres={
            "HOST": str(layout.run),
            "PORT": "",
            "NAME": DATABASE,
            "USER": ROLE,
            "PASSWORD": "",
            "DATA_DIR": str(layout.data_dir),  # read back by config.embedded_db; Django itself ignores it
        },
        broker_url=f"redis+socket://{socket}?virtual_host=0",
        cache_url=f"unix://{socket}?db=1",
        redis_socket=layout.redis_socket,
    )


def locate(data_dir: Path) -> Layout:
    """The layout of `data_dir`.

    As root, when the run user cannot reach the directory (under a 0700 /root, say), the servers' folders lie in
    /var/lib/entrepot/<hash>: no parent folder is opened up. A path too long or odd for a socket has it in /tmp.
    """
    data_dir = data_dir.resolve()
    user = _run_user(data_dir)
    home = _home(data_dir, user)
    return Layout(data_dir, home, _socket_dir(home, user), user)


def is_reachable(path: Path, user: RunUser) -> bool:
    """Whether `user` may pass through every existing folder of `path`, itself included."""
    return all(_may_enter(folder.stat(), user) for folder in (path, *path.parents) if folder.exists())


def _may_enter(found: os.stat_result, user: RunUser) -> bool:
    if found.st_uid == user.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == user.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _run_user(data_dir: Path) -> RunUser | None:
    if os.geteuid() != 0:
        return None
    for home in (_aside(data_dir), data_dir):  # data made before keeps its owner
        if (home / "postgres").is_dir() and (owner := (home / "postgres").stat()).st_uid != 0:
            return RunUser(owner.st_uid, owner.st_gid)
    for name in filter(None, (os.environ.get("ENTREPOT_RUN_USER"), "entrepot", "nobody")):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunUser(entry.pw_uid, entry.pw_gid)
    raise EmbeddedError("PostgreSQL does not run as root: name an unprivileged user in ENTREPOT_RUN_USER.")


def _home(data_dir: Path, user: RunUser | None) -> Path:
    if user is None:
        return data_dir
    aside = _aside(data_dir)
    placed_aside = (aside / "postgres").is_dir() and not (data_dir / "postgres").is_dir()
    return aside if placed_aside or not is_reachable(data_dir, user) else data_dir


def _socket_dir(home: Path, user: RunUser | None) -> Path:
    run = home / "run"
    if len(os.fsencode(run / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT and PLAIN_PATH.fullmatch(str(run)):
        return run
    uid = user.uid if user else os.geteuid()
    return Path("/tmp") / f"entrepot-{uid}-{_digest(home)}"  # noqa: S108 - its owner and mode are verified before use


def _aside(data_dir: Path) -> Path:
    return ASIDE / _digest(data_dir)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
