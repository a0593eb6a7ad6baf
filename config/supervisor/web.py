"""`python -m config.supervisor.web FD`: serves Entrepot on the listening socket that the supervisor holds open.

The socket outlives this process: after a crash, callers wait in its queue instead of being refused.
"""

import os
import socket
import sys

import uvicorn


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
