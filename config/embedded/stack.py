"""Both embedded servers of one data directory, started and stopped one caller at a time."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from config.embedded import parent
from config.embedded.directories import cannot_write, create_layout
from config.embedded.errors import EmbeddedError
from config.embedded.layout import Layout, locate
from config.embedded.postgres import Postgres
from config.embedded.processes import wait_until
from config.embedded.redis import Redis

# Set for the processes under the supervisor: it alone starts servers, they only wait for them.
SUPERVISED = "ENTREPOT_SUPERVISED"
SUPERVISOR_SECONDS = 20.0
# What the kernel sends each server when the supervisor is gone: a fast, clean shutdown.
DEATH_SIGNALS = {"PostgreSQL": signal.SIGINT, "Redis": signal.SIGTERM}

Server = Postgres | Redis


class Stack:
    """The servers of `data_dir`; a half that is served by an address of the operator's own is left out."""

    def __init__(self, data_dir: Path, *, postgres: bool = True, redis: bool = True) -> None:
        self.layout: Layout = locate(data_dir)
        self.servers: list[Server] = []
        if postgres:
            self.servers.append(Postgres(self.layout))
        if redis:
            self.servers.append(Redis(self.layout))

    def is_ready(self) -> bool:
        return all(server.is_ready() for server in self.servers)

    def ensure(self, *, die_with_us: bool = False) -> dict[str, subprocess.Popen[bytes]]:
        """Have every server answering; returns the processes that this call started, by server name.

        Asking a running stack costs two connections and takes no lock. `die_with_us` ties the servers' lives to the
        calling process; without it they stay until `python -m config.embedded down`.
        """
        if self.is_ready():
            return {}
        if os.environ.get(SUPERVISED):
            # Once the supervisor is gone nobody will start them, and waiting would only keep this process alive.
            wait_until(lambda: self.is_ready() or parent.is_gone(), seconds=SUPERVISOR_SECONDS)
            if self.is_ready():
                return {}
            raise EmbeddedError("The embedded servers do not answer; the supervisor that keeps them has the reason.")
        with self._lock():
            return {
                server.name: process
                for server in self.servers
                if not server.is_ready()
                and (process := server.start(DEATH_SIGNALS[server.name] if die_with_us else None)) is not None
            }

    def stop(self) -> None:
        """Stop whatever runs in this data directory, whoever started it. Redis first: its clients need the database."""
        if not self.layout.home.is_dir():
            return
        with self._lock():
            for server in reversed(self.servers):
                server.stop()

    def reset(self) -> None:
        """Stop the servers and delete all that they hold."""
        if not self.layout.home.is_dir():
            return
        self.stop()
        with self._lock():
            for folder in (self.layout.postgres_data, self.layout.redis_data, self.layout.run):
                shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        create_layout(self.layout)
        path = self.layout.home / "servers.lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedError(cannot_write(path, error)) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
