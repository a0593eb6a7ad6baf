#!/usr/bin/env python
"""Entrepot's command line: every `manage.py` command starts here."""

import getpass
import os
import sys


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    # What a command changes, the audit trail ascribes to whoever runs it.
    os.environ.setdefault("PGAPPNAME", f"manage.py {' '.join(sys.argv[1:2])} by {_operator()}"[:63])
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
