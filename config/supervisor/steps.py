"""What is done once before serving: translations, static files, the database's tables, the demo and its first plan."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from config.embedded.processes import end_of
from config.supervisor.children import CHECKOUT, spawn
from config.supervisor.console import Failure, complain, say
from config.supervisor.translations import compile_translations


class Steps:
    """The commands of one data directory, each run to its end in a process of its own."""

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self._data_dir, self._environment = data_dir, environment
        self._log = data_dir / "log" / "start.log"

    def translate(self) -> None:
        try:
            compile_translations(CHECKOUT / "locale")
        except PermissionError as error:
            complain(f"Translations stay as they are: {error.filename} cannot be written by this user.")

    def collect_static(self) -> None:
        """Gather and compress static files, only when a source file or an installed package has changed."""
        stamp = self._data_dir / "static.stamp"
        current = self._static_digest()
        if stamp.exists() and stamp.read_text() == current and (self._data_dir / "static").is_dir():
            return
        say("Preparing static files …")
        self._run("manage.py", "collectstatic", "--noinput", "--clear", "-v", "0")
        stamp.write_text(current)

    def prepare_database(self, *, with_demo: bool) -> None:
        say("Bringing the database up to date …")
        options = ["--demo"] if with_demo else []
        self._run("-m", "config.supervisor.database", str(self._log), *options)

    def begin_welcome(self, address: str) -> subprocess.Popen[bytes]:
        """Started while the web server comes up; its text is shown once that answers."""
        command = [sys.executable, "manage.py", "welcome", "--address", address.rstrip("/")]
        return spawn(command, environment=self._environment, log=self._log, output=subprocess.PIPE)

    def _static_digest(self) -> str:
        """Of our own static files (name, size, time) and of what is installed."""
        folders = [CHECKOUT / "static", *CHECKOUT.glob("*/static")]
        ours = [folder for folder in folders if not folder.is_relative_to(self._data_dir)]
        files = sorted(path for folder in ours for path in folder.rglob("*") if path.is_file())
        seen = [f"{path.relative_to(CHECKOUT)} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]
        seen.append((CHECKOUT / "requirements" / "base.txt").read_text())
        seen.append(os.environ.get("DJANGO_SETTINGS_MODULE", ""))
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()

    def _run(self, *arguments: str) -> None:
        """To its end; its output is shown as it comes, its errors are kept in the log."""
        command = [sys.executable, *arguments]
        process = spawn(command, environment=self._environment, log=self._log, output=None)
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
        if status != 0:
            errors = end_of(self._log, 4000)
            last = (errors.strip().splitlines() or [f"status {status}"])[-1]
            why = "the disk is full: free some space" if "No space left on device" in errors else last
            raise Failure(f"Preparing did not succeed: {why}. The whole story: {self._log}")
