"""The embedded PostgreSQL: one data directory, one Unix socket, full durability, tuned for a small machine."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from config.embedded import binaries
from config.embedded.directories import create_private
from config.embedded.errors import EmbeddedError, reason_in_log
from config.embedded.layout import DATABASE, ROLE, Layout
from config.embedded.processes import clean_environment, end_of, processes_in, send, start_server, wait_until

START_SECONDS = 60.0
START_ATTEMPTS = 3  # a server that somebody kills while it starts is started again so often
STOP_SECONDS = 6.0
SETTINGS = """\
# Written by Entrepot at every start. Your own changes belong in ALTER SYSTEM, which wins over this file.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 256MB
max_wal_size = 4GB
wal_compression = on
random_page_cost = 1.1
fsync = on
synchronous_commit = on
full_page_writes = on
timezone = 'UTC'
log_timezone = 'UTC'
"""


class _Killed(Exception):
    """The server was killed while it started or while we spoke to it."""


class Postgres:
    """The server of one layout. Its methods are called with the stack's lock held, but for `is_ready`."""

    name = "PostgreSQL"

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.data = layout.postgres_data
        self.log = layout.logs / "postgres.log"
        self._socket = layout.run / ".s.PGSQL.5432"
        self._lock_files = (self.data / "postmaster.pid", layout.run / ".s.PGSQL.5432.lock")

    def is_ready(self) -> bool:
        """Whether the application's own role can use the application's own database now."""
        return self._can_connect(ROLE, DATABASE)

    def processes(self) -> list[int]:
        return processes_in(self.data)

    def start(self, death: signal.Signals | None = None) -> subprocess.Popen[bytes] | None:
        """Have the server answering; the process that this call started, or None when another one came up."""
        folder = binaries.runnable(binaries.postgres_bin() / "postgres", self.layout).parent
        self._check_version(folder)
        if not self.data.is_dir():
            self._initialise(folder)
        self._write_settings()
        for left in reversed(range(START_ATTEMPTS)):
            try:
                process = None if self._wait_for_running_one() else self._launch(folder, death)
                self._create_database()
            except _Killed as error:
                if not left:
                    raise EmbeddedError(self._explain(f"went away again and again ({error})")) from None
                continue
            break
        return process

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Fast shutdown: open transactions are rolled back, committed ones are on disk. Then harsher, if need be."""
        # one that is just starting has not written its pid yet
        wait_until(lambda: self._postmaster() is not None or not self.processes(), seconds=seconds)
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if (pid := self._postmaster()) is not None:
                send(pid, how)
            if wait_until(lambda: not self.processes(), seconds=seconds):
                return
        raise EmbeddedError(f"PostgreSQL does not stop; see {self.log}")

    def _can_connect(self, role: str, database: str) -> bool:
        import psycopg2

        try:
            psycopg2.connect(host=str(self.layout.run), user=role, dbname=database, connect_timeout=3).close()
        except psycopg2.Error:  # refused, still starting, or killed while it answered
            return False
        return True

    def _is_up(self) -> bool:
        return self._can_connect("postgres", "postgres")

    def _check_version(self, folder: Path) -> None:
        try:
            made_by = int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return
        if made_by != (ours := binaries.postgres_version(folder)):
            raise EmbeddedError(
                f"The data in {self.data} was made by PostgreSQL {made_by}, this installation has {ours}: dump it with "
                f"version {made_by} and restore it, or name another --data-dir (docs/operate.md, “Another version”)."
            )

    def _initialise(self, folder: Path) -> None:
        """initdb beside the final place, then rename: a kill in between leaves nothing that looks finished."""
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        create_private(draft, self.layout.run_user)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if binaries.postgres_version(folder) < 17:
            locale = ["--locale=C.UTF-8"]
        process = start_server(
            [
                folder / "initdb",
                "-D",
                draft,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--data-checksums",
                *locale,
            ],
            log=self.log,
            user=self.layout.run_user,
            death=None,
        )
        try:
            status = process.wait(timeout=300)
        except BaseException:
            process.kill()
            raise
        if status != 0:
            raise EmbeddedError(self._explain("could not make its data directory"))
        with (draft / "postgresql.conf").open("a") as file:
            file.write("\ninclude_if_exists = 'entrepot.conf'\n")
        draft.rename(self.data)

    def _write_settings(self) -> None:
        path = self.data / "entrepot.conf"
        if path.exists() and path.read_text() == SETTINGS:
            return
        draft = path.with_suffix(".new")
        draft.write_text(SETTINGS)
        if user := self.layout.run_user:
            os.chown(draft, user.uid, user.gid)
        draft.replace(path)

    def _launch(self, folder: Path, death: signal.Signals | None) -> subprocess.Popen[bytes]:
        self._clear_stale_files()
        process = start_server(
            [folder / "postgres", "-D", self.data, "-k", self.layout.run],
            log=self.log,
            user=self.layout.run_user,
            death=death,
        )
        wait_until(lambda: self._is_up() or process.poll() is not None, seconds=START_SECONDS)
        if process.poll() is not None and process.returncode < 0:
            raise _Killed(f"signal {-process.returncode}")
        if process.poll() is not None or not self._is_up():
            raise EmbeddedError(self._explain("did not start"))
        return process

    def _wait_for_running_one(self) -> bool:
        """A living postmaster may still be starting or recovering: then wait for it instead of starting a second."""
        if self._postmaster() is None:
            return self._is_up()
        if wait_until(lambda: self._is_up() or self._postmaster() is None, seconds=START_SECONDS) and self._is_up():
            return True
        if self._postmaster() is not None:
            raise EmbeddedError(self._explain(f"does not answer after {START_SECONDS:.0f} s"))
        return False

    def _postmaster(self) -> int | None:
        """The pid in postmaster.pid, if that is a living process of this data directory and not a reused number."""
        try:
            pid = int(self._lock_files[0].read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if pid in self.processes() else None

    def _clear_stale_files(self) -> None:
        """After a kill -9 the lock files stay; PostgreSQL believes them when their pid is in use again or a zombie."""
        if not wait_until(lambda: not self.processes(), seconds=START_SECONDS):  # orphaned backends leave by themselves
            raise EmbeddedError(f"Old PostgreSQL processes still use {self.data}: {self.processes()}; end them first.")
        for path in (*self._lock_files, self._socket):
            path.unlink(missing_ok=True)

    def _create_database(self) -> None:
        """The application's role (no superuser) and its database, each only where it is missing.

        Raises _Killed when the server goes away meanwhile.
        """
        import psycopg2

        try:
            connection = psycopg2.connect(host=str(self.layout.run), user="postgres", dbname="postgres")
        except psycopg2.OperationalError as error:
            raise _Killed(str(error).strip()) from None
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER CREATEDB")
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        except psycopg2.OperationalError as error:
            raise _Killed(str(error).strip()) from None
        except psycopg2.Error as error:
            raise EmbeddedError(self._explain(f"could not create the database ({str(error).strip()})")) from None
        finally:
            connection.close()

    def _explain(self, what: str) -> str:
        log = end_of(self.log)
        lines = re.findall(r"^.*(?:FATAL|PANIC|error).*$", log, re.MULTILINE)
        why = reason_in_log("\n".join(log.splitlines()[-60:])) or (
            lines[-1].strip() if lines else "no reason was given"
        )
        return f"PostgreSQL {what}: {why}. Its log: {self.log}"


def run_tool(layout: Layout, tool: str, arguments: list[str]) -> int:
    """Run one of PostgreSQL's own programs (pg_dump, psql …) against the embedded server, as the application's role."""
    where = {"PGHOST": str(layout.run), "PGUSER": ROLE, "PGDATABASE": DATABASE}
    program = binaries.postgres_bin() / tool
    return subprocess.run([program, *arguments], env={**clean_environment(), **where}, check=False).returncode  # noqa: S603
