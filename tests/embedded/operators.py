"""Who runs the servers in these tests: ourselves, and, when we are root, also an ordinary user."""

import contextlib
import functools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from config.embedded.layout import DATABASE, ROLE, RunUser, is_reachable
from config.embedded.stack import SUPERVISED, Stack

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Operator:
    """Runs `python -m …` of this checkout as one user."""

    name: str
    python: str
    user: RunUser | None

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        dropped = {"user": self.user.uid, "group": self.user.gid, "extra_groups": []} if self.user else {}
        return subprocess.Popen(
            [self.python, *arguments],
            cwd=CHECKOUT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **dropped,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def embedded(self, data_dir: Path, *arguments: str) -> tuple[int, str]:
        return self.run("-m", "config.embedded", "--data-dir", str(data_dir), *arguments)

    def _environment(self) -> dict[str, str]:
        left_out = {"DATABASE_URL", "REDIS_URL", "ENTREPOT_DATA_DIR", SUPERVISED}
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        path = os.pathsep.join([str(CHECKOUT), sysconfig.get_paths()["purelib"]])
        return {**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/"}


def ourselves() -> Operator:
    return Operator("root" if os.geteuid() == 0 else "user", sys.executable, None)


@functools.cache
def ordinary_user() -> Operator | str:
    """`nobody` with a Python of our version that it can reach; else the reason why not."""
    if os.geteuid() != 0:
        return "only root can become another user"
    entry = pwd.getpwnam("nobody")
    user = RunUser(entry.pw_uid, entry.pw_gid)
    if not is_reachable(CHECKOUT, user) or not is_reachable(Path(sysconfig.get_paths()["purelib"]), user):
        return f"nobody cannot reach {CHECKOUT}"
    version = f"python3.{sys.version_info.minor}"
    for candidate in filter(None, (os.path.realpath(sys.executable), shutil.which(version, path="/usr/bin"))):
        if is_reachable(Path(candidate), user):
            return Operator("user", candidate, user)
    return f"nobody can reach no {version}"


def ask(data_dir: Path, statement: str) -> list[tuple[object, ...]]:
    """Run a statement as the application's role; its rows, if it has any."""
    connection = psycopg2.connect(host=str(Stack(data_dir).layout.run), user=ROLE, dbname=DATABASE)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # backends leave by themselves when their postmaster is gone
            os.kill(pid, signal.SIGKILL)


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    """Fail when it does not come to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
