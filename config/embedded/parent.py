"""Whether the supervisor that this process works under still lives; its number stands in the environment."""

import os

SUPERVISOR = "ENTREPOT_SUPERVISOR_PID"


def is_gone() -> bool:
    try:
        os.kill(int(os.environ[SUPERVISOR]), 0)
    except (KeyError, PermissionError):
        return False
    except ProcessLookupError:
        return True
    return False
