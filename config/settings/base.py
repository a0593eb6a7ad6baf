"""Settings shared by every way of running; on their own they are those of `bin/start` on one machine.

Without DATABASE_URL / REDIS_URL the addresses of the embedded servers are used; reading them starts nothing.
"""

import os
from pathlib import Path

import environ
import pghistory
from csp.constants import NONE, SELF
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config.embedded import addresses, secret_key
from config.machine_code import keep_machine_code
from config.settings.unfold import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()
DATA_DIR = Path(os.environ.get("ENTREPOT_DATA_DIR") or BASE_DIR / "var")
keep_machine_code(BASE_DIR, DATA_DIR)

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="") or secret_key(DATA_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "config.kernel.admin_app.HouseAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "pgtrigger",
    "pghistory",
    "axes",
    "csp",
    "config.kernel",
    "catalog",
    "warehouses",
    "forecasting",
    "procurement",
    "monitoring",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.kernel.middleware.ProblemDetailsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- the truth and the broker -------------------------------------------------------------------------------------
_embedded = addresses(DATA_DIR)
if env.str("DATABASE_URL", default=""):
    DATABASES = {"default": {**env.db("DATABASE_URL"), "ENGINE": "config.steady_db"}}
else:
    DATABASES = {"default": {"ENGINE": "config.embedded_db", **_embedded.postgres}}
DATABASES["default"]["NAME"] = env.str("ENTREPOT_DB_NAME", default=DATABASES["default"]["NAME"])
DATABASES["default"]["ATOMIC_REQUESTS"] = False
# Kept by the threads of the web processes alone (config/asgi.py says how long), looked at before each request.
DATABASES["default"].setdefault("CONN_MAX_AGE", env.int("CONN_MAX_AGE", default=0))
DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Events of the audit trail are found by row, actor and day (config.kernel.audit), not by what the row points to.
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)

REDIS_URL = env.str("REDIS_URL", default="")
CELERY_BROKER_URL = REDIS_URL or _embedded.broker_url
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL or _embedded.cache_url,
        "KEY_PREFIX": "entrepot",
    }
}
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Longer than the longest task, or Redis hands the task out again while it still runs.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * 60 * 60}
CELERY_TASK_TIME_LIMIT = 60 * 60
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
# Which task does the work of which kind of job.
JOB_TASKS = {
    "plan": "procurement.run_plan",
    "import_sales": "forecasting.import_sales",
    "policy_replay": "procurement.run_policy_replay",
    "scenario": "procurement.run_scenario",
}

# --- people -------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "config.kernel.policy.RoleBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("portal:login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "portal/locked.html"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "files"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- the browser's fences -----------------------------------------------------------------------------------------
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}

# --- the API ------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.kernel.tokens.HouseTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["config.kernel.policy.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.kernel.parsers.LimitedJSONParser"],
    "DEFAULT_FILTER_BACKENDS": [
        "config.kernel.filters.HouseFilterBackend",
        "config.kernel.paging.StableOrderingFilter",
    ],
    "DEFAULT_PAGINATION_CLASS": "config.kernel.paging.CursorPaging",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.kernel.problems.problem_response",
    "DEFAULT_THROTTLE_CLASSES": [],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Token"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Entrepot API",
    "DESCRIPTION": "Stock, demand, forecasts, reorder proposals, purchase orders and receipts of an online seller.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # The document describes the software, not the company: an integrator may read it before having a token.
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.kernel.schema.document_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ActionMessageKind": "config.api_enums.ActionMessageKind",
        "AlertKind": "config.api_enums.AlertKind",
        "AlertSeverity": "config.api_enums.AlertSeverity",
        "AnswerDecision": "config.api_enums.AnswerDecision",
        "AnswerKind": "config.api_enums.AnswerKind",
        "BalanceClock": "config.api_enums.BalanceClock",
        "CalendarEventKind": "config.api_enums.CalendarEventKind",
        "ChannelEventKind": "config.api_enums.ChannelEventKind",
        "ChannelEventState": "config.api_enums.ChannelEventState",
        "ChannelKind": "config.api_enums.ChannelKind",
        "ClearanceCause": "config.api_enums.ClearanceCause",
        "ClearanceWayOut": "config.api_enums.ClearanceWayOut",
        "CountSheetStatus": "config.api_enums.CountSheetStatus",
        "ExperimentStatus": "config.api_enums.ExperimentStatus",
        "ExperimentVerdict": "config.api_enums.ExperimentVerdict",
        "JobState": "config.api_enums.JobState",
        "JointOrderStatus": "config.api_enums.JointOrderStatus",
        "LandedCostBasis": "config.api_enums.LandedCostBasis",
        "LandedCostKind": "config.api_enums.LandedCostKind",
        "LocationKind": "config.api_enums.LocationKind",
        "LocationLevel": "config.api_enums.LocationLevel",
        "MovementKind": "config.api_enums.MovementKind",
        "OrderStatus": "config.api_enums.OrderStatus",
        "OverrideKind": "config.api_enums.OverrideKind",
        "ProposalStatus": "config.api_enums.ProposalStatus",
        "PurchaseOrderLineStatus": "config.api_enums.PurchaseOrderLineStatus",
        "PurchaseOrderStatus": "config.api_enums.PurchaseOrderStatus",
        "ReturnLineKind": "config.api_enums.ReturnLineKind",
        "SkuStatus": "config.api_enums.SkuStatus",
        "StockStatus": "warehouses.models.StockStatus",
        "TaskKind": "config.api_enums.TaskKind",
        "TaskState": "config.api_enums.TaskState",
        "TransferStatus": "config.api_enums.TransferStatus",
    },
}

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
globals().update(EMAIL_CONFIG)
# What amounts without a document are in: stock value, unit costs, list prices.
COMPANY_CURRENCY = env.str("COMPANY_CURRENCY", default="GBP")
# Where suppliers reach the portal: the links in their mails start with it.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000")
# Webhooks go to public addresses only; a demo or a company's own network may allow private ones.
WEBHOOK_ALLOW_PRIVATE = env.bool("WEBHOOK_ALLOW_PRIVATE", default=False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="entrepot@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"axes": {"level": "WARNING"}},
}
