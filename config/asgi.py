"""The ASGI entry point that the web server serves: WEB_THREADS requests at a time in each of its processes."""

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
os.environ.setdefault("CONN_MAX_AGE", "600")  # seconds: the threads live as long as the process
django.setup(set_prefix=False)

from django.urls import get_resolver  # noqa: E402 (needs Django's settings, as the next)

from config.serving import ThreadedHandler  # noqa: E402

get_resolver().url_patterns  # noqa: B018 (loads every view, so that no first caller waits for it)
application = ThreadedHandler(int(os.environ.get("WEB_THREADS") or 8))
gc.freeze()  # what is loaded by now stays, and need not be looked through again and again
