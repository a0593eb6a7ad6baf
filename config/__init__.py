"""How Entrepot is wired: settings, the timetable, URLs, embedded servers, and the kernel that every app may import."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
