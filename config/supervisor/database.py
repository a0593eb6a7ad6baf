"""`python -m config.supervisor.database LOG [--demo]`: tables, demo company and first plan, in one process for speed.

What migrations say goes to LOG; what the demo and the plan say, to the operator. Each sees for itself that it is done.
"""

import os
import sys
import traceback

import django
from django.core.management import CommandError, call_command


def main(log: str, *options: str) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    try:
        django.setup()
        with open(log, "a") as file:
            call_command("migrate", interactive=False, stdout=file)
        if "--demo" in options:
            call_command("load_demo", "--if-empty")
            _try("plan", "The first plan")
            _try("watch", "The first look at alerts and KPIs")
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Exception:
        traceback.print_exc()  # its last line is shown to the operator
        return 1
    return 0


def _try(command: str, what: str) -> None:
    """A failure here is no reason to keep people from their stock and orders; it can be asked for again."""
    try:
        call_command(command, "--if-never")
    except Exception as error:
        traceback.print_exc()
        sys.stdout.write(f"{what} did not succeed ({error}); Entrepot starts without it.\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
