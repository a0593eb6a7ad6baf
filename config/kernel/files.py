"""Files that a command writes for the user: never over what it reads, and whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from uuid import uuid4

from django.utils.translation import gettext as _

from config.kernel.errors import ValidationFailed


def require_another_file(target: Path, source: Path) -> None:
    """Raises ValidationFailed when writing `target` would destroy `source`, under whatever name."""
    if target.exists() and source.exists() and target.samefile(source):
        raise ValidationFailed(
            _("The rejected lines cannot go to %(file)s: that is the file they come from. Name another.")
            % {"file": target}
        )


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears under its name when it is complete; until then what was there stays.

    Raises ValidationFailed when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe
            with path.open("w", newline="", encoding="utf-8") as file:
                yield file
            return
        target = path.resolve()  # a link stays one
        draft = target.with_name(f".{uuid4().hex}.new")
        try:
            with draft.open("x", newline="", encoding="utf-8") as file:
                yield file
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        said = _("%(file)s cannot be written: %(why)s.") % {"file": path, "why": error.strerror}
        raise ValidationFailed(said) from None
