"""Settings of the test suite: the same engines, cheaper passwords, no static manifest."""

from config.settings.base import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# Tests that commit are cleaned up by TRUNCATE, which the ledger refuses everywhere else.
DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c entrepot.truncate_allowed=on"  # noqa: F405
