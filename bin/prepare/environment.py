"""The virtual environment in the checkout: made once, kept while its Python runs, never taken from another user."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from failure import Failure


class Environment:
    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.abspath(folder))
        self.python = self.folder / "bin" / "python"

    def works(self) -> bool:
        """False too when the Python that it was made with is gone from the machine, or the folder was moved."""
        check = "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
        try:
            return subprocess.run([self.python, "-c", check], capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def version(self) -> str:
        """Of its Python, down to the build: wheels are chosen by it."""
        ask = "import sys, sysconfig; print(sys.version, sysconfig.get_platform())"
        return subprocess.run([self.python, "-c", ask], capture_output=True, text=True, check=True).stdout

    def require_ours(self) -> None:
        """Installing into another user's environment, or as root into a user's, would spoil it for both."""
        place = self.folder if self.folder.exists() else self.folder.parent
        if self.folder.exists() and self.folder.stat().st_uid != os.geteuid():
            raise Failure(
                f"{self.folder} belongs to another user: run as that user, delete it, "
                "or name another place in ENTREPOT_VENV."
            )
        if not os.access(place, os.W_OK):
            raise Failure(f"{place} cannot be written by this user: name another place in ENTREPOT_VENV.")

    def make(self) -> None:
        """Anew, from the Python that runs this."""
        shutil.rmtree(self.folder, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", self.folder], capture_output=True, text=True, check=False)
        if made.returncode != 0 or not self.works():
            last = [line for line in (made.stdout + made.stderr).splitlines() if line.strip()][-1:] or [
                "no reason given"
            ]
            shutil.rmtree(self.folder, ignore_errors=True)
            full = "No space left on device" in made.stdout + made.stderr
            why = "the disk is full: free 2 GB" if full else last[0].strip()
            raise Failure(f"Cannot make the virtual environment {self.folder}: {why}.")
