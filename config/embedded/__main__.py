"""`python -m config.embedded up|down|status|reset|tool NAME …`: the embedded servers by hand."""

import argparse
import os
import sys
from pathlib import Path

from config.embedded import EmbeddedError, binaries, default_data_dir
from config.embedded.postgres import run_tool
from config.embedded.stack import Stack


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    stack = Stack(
        options.data_dir,
        postgres=not os.environ.get("DATABASE_URL"),
        redis=not os.environ.get("REDIS_URL"),
    )
    try:
        return int(_run(options, stack) or 0)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(options: argparse.Namespace, stack: Stack) -> int | None:
    if options.command == "tool":
        return run_tool(stack.layout, options.name, options.arguments)
    if options.command == "reset" and not options.yes:
        raise EmbeddedError(f"This deletes all data in {stack.layout.home}: say `reset --yes` if you mean it.")
    if options.command == "status":
        return _show(stack)
    if options.command == "up":
        stack.ensure()
    elif options.command == "down":
        stack.stop()
    else:
        stack.reset()
    return None


def _show(stack: Stack) -> int:
    """One line a server; status 0 when all of them answer, 3 otherwise (as `pg_ctl status` has it)."""
    for server in stack.servers:
        state = "answers" if server.is_ready() else "does not answer"
        sys.stdout.write(f"{server.name:<12}{state}, data in {server.data}, log in {server.log}\n")
    sys.stdout.write(f"{'sockets':<12}{stack.layout.run}\n{'programs':<12}{binaries.postgres_bin()}\n")
    return 0 if stack.is_ready() else 3


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=default_data_dir(), help="default: var/ in the checkout")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start them; they stay until `down`")
    commands.add_parser("down", help="stop them")
    commands.add_parser("status", help="whether they answer, and where they are")
    commands.add_parser("reset", help="stop them and delete their data").add_argument("--yes", action="store_true")
    tool = commands.add_parser("tool", help="run PostgreSQL's own pg_dump, pg_restore, psql … against the database")
    tool.add_argument("name")
    tool.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
