"""`manage.py optimize IN.json --out OUT.json`: textbook inventory models from a file, without server or database."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Reads a list of instances, writes the list of answers; the models are in docs/reference/optimize.md."""

    help = "Solve inventory models from a JSON file; no server and no database needed."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("instances", metavar="IN", help='JSON list of {"id", "model", "inputs"}')
        parser.add_argument("--out", metavar="OUT", required=True, help="JSON list of the answers, in the same order")

    def handle(self, *args: Any, **options: Any) -> None:
        """Nothing is written unless every instance has been answered; a bad instance is answered with its error."""
        from procurement.engine.optimize import solve_instances  # scipy: not at Django's start

        instances = _read_list(Path(options["instances"]))
        answers = solve_instances(instances)
        _write_json(Path(options["out"]), answers)
        failed = sum("error" in answer for answer in answers)
        self.stdout.write(f"{len(answers) - failed} solved, {failed} with an error")


def _read_list(path: Path) -> list[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, list):
        raise CommandError(f"{path} must hold a JSON list of instances")
    return content


def _write_json(path: Path, content: list[dict[str, Any]]) -> None:
    """Write beside the target and rename, so that a reader never meets half a file."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as stream:
            temporary = stream.name
            json.dump(content, stream, allow_nan=False, indent=1)
            stream.write("\n")
        Path(temporary).chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise CommandError(f"cannot write {path}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
