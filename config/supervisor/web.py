"""`python -m config.supervisor.web FD`: one web process on the listening socket that the supervisor holds open.

The socket outlives this process and is shared with its twins: after a crash, callers are served by the others or wait
in the queue instead of being refused.
"""

import os
import socket
import sys

import uvicorn


def processes() -> int:
    """How many to run: WEB_PROCESSES, or as many as there are cores, from 2 (one may crash) to 4."""
    chosen = os.environ.get("WEB_PROCESSES", "")
    return int(chosen) if chosen.isdigit() and int(chosen) else max(2, min(4, len(os.sched_getaffinity(0))))


def main() -> None:
    listener = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(
        "config.asgi:application",
        lifespan="off",
        proxy_headers=False,  # no proxy is in front, so whoever sends X-Forwarded-For is a client lying about itself
        server_header=False,
        timeout_graceful_shutdown=3,  # live streams never end by themselves
        log_level=os.environ.get("LOG_LEVEL", "info").lower(),
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
