"""Finds processes that an Entrepot of this data directory started, by the mark in their environment, and ends them.

Needed when a child was killed so hard that it could not take its own children (the worker's pool) with it.
"""

import contextlib
import os
import signal
from pathlib import Path

from config.embedded.parent import SUPERVISOR
from config.embedded.processes import wait_until
from config.embedded.stack import SUPERVISED


def mark(data_dir: Path) -> dict[str, str]:
    """What the environment of everything under this supervisor carries, and of nothing else."""
    return {SUPERVISED: str(data_dir), SUPERVISOR: str(os.getpid())}


def marked_processes(data_dir: Path) -> list[int]:
    wanted = f"{SUPERVISED}={data_dir}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and wanted in _environment(pid)]


def end_leftovers(data_dir: Path) -> None:
    """Kill them and wait until they are gone."""
    for pid in marked_processes(data_dir):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not marked_processes(data_dir), seconds=3)


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:
        return []


def _environment(pid: int) -> list[bytes]:
    try:  # a zombie's is empty
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
