"""Settings of a real installation: everything that must be named is required from the environment, HTTPS is assumed."""

import os

from django.core.exceptions import ImproperlyConfigured

_missing = [n for n in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS") if not os.environ.get(n)]
if _missing:
    raise ImproperlyConfigured("Set " + ", ".join(_missing) + " in the environment; see docs/operate.md.")

from config.settings.base import *  # noqa: E402, F403
from config.settings.base import ALLOWED_HOSTS, env  # noqa: E402

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=60 * 60 * 24 * 365)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS", default=[f"https://{h}" for h in ALLOWED_HOSTS if not h.startswith(("*", "."))]
)
# Named only where a proxy of ours really sets it; else a client could claim HTTPS for itself.
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
