"""The supervisor: brings everything up in order, keeps it up, and takes down exactly what it started."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from config.embedded import EmbeddedError
from config.embedded.directories import create_data_dir
from config.embedded.stack import Stack
from config.supervisor import checks, leftovers, logs, web
from config.supervisor.children import GIVE_UP_AFTER, RAPID_SECONDS, Child, end_together
from config.supervisor.console import Failure, say
from config.supervisor.signals import StopSignals
from config.supervisor.steps import Steps

READY_SECONDS = 90.0
TICK_SECONDS = 0.2
LOOK_SECONDS = 5.0
CHILDREN_STOP_SECONDS = 4.0


@dataclass(frozen=True)
class Options:
    host: str
    port: int
    data_dir: Path
    empty: bool

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{self.port}/"


class Supervisor:
    def __init__(self, options: Options, signals: StopSignals) -> None:
        self._options, self._signals = options, signals
        self._stack = Stack(
            options.data_dir, postgres=not os.environ.get("DATABASE_URL"), redis=not os.environ.get("REDIS_URL")
        )
        self._data_dir = self._stack.layout.data_dir
        self._environment = {
            "ENTREPOT_DATA_DIR": str(self._data_dir),
            # Where the links in the mails lead, unless the operator knows better (a name, TLS in front).
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or options.address.rstrip("/"),
            **leftovers.mark(self._data_dir),
        }
        self._children: list[Child] = []
        self._server_processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ran_before: set[str] = set()
        self._server_endings: list[float] = []
        self._look_at_servers = 0.0

    def run(self) -> None:
        """Serve until a signal (StopRequested) or a Failure; nothing that was started here is left behind."""
        create_data_dir(self._data_dir)
        lock = checks.lock_data_dir(self._data_dir, self._options.address)
        try:
            with checks.bind_port(self._options.host, self._options.port) as listener:
                self._run_on(listener)
        finally:
            lock.close()

    def _run_on(self, listener: socket.socket) -> None:
        checks.require_space(self._data_dir)
        checks.require_space(self._stack.layout.home)
        leftovers.end_leftovers(self._data_dir)
        self._ran_before = {server.name for server in self._stack.servers if server.processes()}
        try:
            self._bring_up(listener)
            while True:
                self._keep_up()
                time.sleep(TICK_SECONDS)
        finally:
            self._signals.close()
            self._take_down()

    def _bring_up(self, listener: socket.socket) -> None:
        folder = self._stack.layout.logs
        folder.mkdir(mode=0o700, exist_ok=True)
        logs.rotate(folder)
        if self._stack.servers:
            say(f"Starting {' and '.join(server.name for server in self._stack.servers)} …")
        self._server_processes = self._stack.ensure(die_with_us=True)
        steps = Steps(self._data_dir, self._environment)
        steps.translate()
        steps.collect_static()
        steps.prepare_database(with_demo=not self._options.empty)
        say("Starting Entrepot …")
        checks.start_listening(listener, self._options.host, self._options.port)
        children = self._make_children(listener, folder)
        self._children = [child for child in children if child.name == "web"]
        welcome = steps.begin_welcome(self._options.address)
        self._wait_until_ready()
        # not before: they would take the web server's turn on a small machine
        self._children += [child for child in children if child.name != "web"]
        self._keep_up()
        say(f"\nEntrepot is ready: {self._options.address}")
        text, _ = welcome.communicate()
        if welcome.returncode == 0:
            say(text.decode(errors="replace").rstrip())
        say("Stop it with Ctrl-C.")

    def _make_children(self, listener: socket.socket, folder: Path) -> list[Child]:
        def child(name: str, *arguments: str, death: signal.Signals, fds: tuple[int, ...] = ()) -> Child:
            command = [sys.executable, "-m", *arguments]
            log = folder / f"{name}.log"
            return Child(name, command, log=log, environment=self._environment, pass_fds=fds, death=death)

        fd = listener.fileno()
        node = f"entrepot-{os.getpid()}@{socket.gethostname()}"
        celery = ("-A", "config")
        return [
            *(
                child("web", "config.supervisor.web", str(fd), death=signal.SIGTERM, fds=(fd,))
                for _ in range(web.processes())
            ),
            # SIGQUIT: end at once and take the pool along; an unfinished task is handed out again
            child(
                "worker",
                "config.supervisor.worker",
                *celery,
                "worker",
                "-c",
                "2",
                "-n",
                node,
                "-l",
                "INFO",
                death=signal.SIGQUIT,
            ),
            child("beat", "celery", *celery, "beat", "--pidfile=", "-l", "INFO", death=signal.SIGTERM),
        ]

    def _keep_up(self) -> None:
        now = time.monotonic()
        ended = [name for name, process in self._server_processes.items() if process.poll() is not None]
        for name in ended:
            del self._server_processes[name]
            self._note_server_ending(name, now)
        if ended or now >= self._look_at_servers:  # one that we found running is not our child: ask it now and then
            self._server_processes.update(self._stack.ensure(die_with_us=True))
            self._look_at_servers = now + LOOK_SECONDS
        for child in self._children:
            child.keep_running(now)

    def _note_server_ending(self, name: str, now: float) -> None:
        self._server_endings = [at for at in self._server_endings if now - at < RAPID_SECONDS] + [now]
        if len(self._server_endings) >= GIVE_UP_AFTER:
            raise Failure(f"{name} ended again and again; why: {self._stack.layout.logs}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(self._options.address):
            self._keep_up()
            if time.monotonic() > deadline:
                log = self._stack.layout.logs / "web.log"
                raise Failure(f"Entrepot does not get ready within {READY_SECONDS:.0f} s; why: {log}")
            time.sleep(0.1)

    def _take_down(self) -> None:
        end_together(self._children, seconds=CHILDREN_STOP_SECONDS, signals=self._signals)
        leftovers.end_leftovers(self._data_dir)
        ours = Stack(
            self._data_dir,
            postgres=self._is_ours("PostgreSQL"),
            redis=self._is_ours("Redis"),
        )
        ours.stop()

    def _is_ours(self, name: str) -> bool:
        """Whether it runs because of us: somebody else's server that we found running stays as it was."""
        ours_by_start = name not in self._ran_before or name in self._server_processes
        return ours_by_start and any(server.name == name for server in self._stack.servers)


def _answers(address: str) -> bool:
    host, port = address.removeprefix("http://").rstrip("/").rsplit(":", 1)
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def serve(options: Options, signals: StopSignals) -> None:
    try:
        Supervisor(options, signals).run()
    except EmbeddedError as error:
        raise Failure(str(error)) from None
