"""Whether the process that started this one still lives. Imported with the settings, so it is noted early."""

import os

_pid = os.getppid()


def _note() -> None:
    global _pid
    _pid = os.getppid()


os.register_at_fork(after_in_child=_note)


def is_gone() -> bool:
    return os.getppid() != _pid
