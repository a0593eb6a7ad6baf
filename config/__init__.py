"""How Entrepot is wired: settings, the timetable, URLs, embedded servers, and the kernel that every app may import."""

import os

# Read when numpy is first loaded: its threads only spin beside our own processes, one per core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from config.celery import app as celery_app

__all__ = ["celery_app"]
