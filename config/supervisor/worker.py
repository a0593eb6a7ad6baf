"""`python -m config.supervisor.worker …`: Celery's worker, whose pool ends with it and which ends with its supervisor.

A killed supervisor makes the kernel send SIGQUIT: the worker hands unfinished tasks back and goes. Killed itself, or
stuck, it would leave its pool behind; so each pool process asks the kernel for the same, and a watch sees to the rest.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

from celery.__main__ import main
from celery.signals import worker_process_init

from config.embedded.processes import die_with_parent

GRACE_SECONDS = 4.0


def watch_supervisor(supervisor: int) -> None:
    """End the whole process group, which is ours alone, some seconds after the supervisor is gone."""
    while os.getppid() == supervisor:
        time.sleep(0.5)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    worker = os.getpid()

    @worker_process_init.connect(weak=False)
    def end_with_worker(**_: Any) -> None:
        die_with_parent(worker, signal.SIGKILL)

    threading.Thread(target=watch_supervisor, args=[os.getppid()], daemon=True).start()
    sys.exit(main())
