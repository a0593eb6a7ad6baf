"""What the operator reads: progress as it happens, and one line when it cannot go on."""

import sys


class Failure(Exception):
    """Why Entrepot cannot start or go on, and what to do: one sentence, shown as it is."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    sys.stderr.write(text.strip() + "\n")
    sys.stderr.flush()
