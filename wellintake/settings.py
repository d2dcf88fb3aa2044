"""Django's settings, and the only reader of the environment: everybody else receives what they need."""

import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext

from wellintake.environment import BASE, SettingsError, read_environment

try:
    ENV = read_environment()
except SettingsError as error:
    sys.exit(str(error))

django_stubs_ext.monkeypatch()  # `ModelAdmin[Run]` at run time, too

BASE_DIR = BASE
VAR = BASE / "var"
VAR.mkdir(mode=0o700, exist_ok=True)  # mails live here


def _kept_secret(path: Path) -> str:
    """The installation's own secret, made at the first start. Created exclusively, so two starts agree on one."""
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text()


DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key.get_secret_value() if ENV.secret_key else _kept_secret(VAR / "secret_key")
ALLOWED_HOSTS = list(ENV.allowed_hosts)
PUBLIC_URL = ENV.public_url
MAIL_KEYS = ENV.mail_keys  # for the fields of models, which nobody hands anything

INSTALLED_APPS = [
    "wellintake",  # before daphne: its `runserver` adds start and shutdown of the engine
    "daphne",  # before staticfiles, so that `runserver` speaks ASGI
    "channels",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "streaming",
    "zoho",
]

# Session, log-in and CSRF are the admin's. Each would cost every stream a hop into a thread at its start.
MIDDLEWARE = [
    "wellintake.middleware.security_headers",
    "wellintake.middleware.static_files",
    "wellintake.access.middleware.identify_caller",
    "wellintake.access.middleware.limit_logins",
    "wellintake.middleware.AdminSessions",
    "wellintake.middleware.AdminCsrf",
    "wellintake.middleware.AdminLogin",
    "wellintake.middleware.AdminMessages",
    "wellintake.middleware.sealed_mails",
]

ROOT_URLCONF = "wellintake.urls"
ASGI_APPLICATION = "wellintake.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A session names its backend: with passwords off, sessions that began with one end, too.
AUTHENTICATION_BACKENDS = [
    "wellintake.access.signin.People",
    *(["django.contrib.auth.backends.ModelBackend"] if ENV.admin_passwords else []),
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "UserAttributeSimilarityValidator")
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _postgresql(url: str) -> dict[str, Any]:
    """libpq's own grammar of addresses, `?sslmode=verify-full` and all."""
    from psycopg.conninfo import conninfo_to_dict

    given = conninfo_to_dict(url)
    named = {key.upper(): str(given.pop(key, "") or "") for key in ("user", "password", "host", "port")}
    # Threads of ours hold three; the rest is for the admin and the older endpoint.
    pool = {"min_size": 1, "max_size": 12, "timeout": 10}
    name = given.pop("dbname", "wellintake")
    return {"ENGINE": "django.db.backends.postgresql", "NAME": name, "OPTIONS": {**given, "pool": pool}, **named}


def _sqlite(url: str | None) -> dict[str, Any]:
    file = Path(urlsplit(url).path[1:]) if url else VAR / "wellintake.sqlite3"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file if file.is_absolute() else BASE / file,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
        },
        # In memory, the threads of a test would each see a database of their own.
        "TEST": {"NAME": VAR / "test.sqlite3"},
    }


_database = ENV.database_url.get_secret_value() if ENV.database_url else None
DATABASES = {"default": _postgresql(_database) if _database and ENV.uses_postgresql else _sqlite(_database)}
# Publish and subscribe: a Redis that restarts or forgets everything costs no member of a group.
_redis = {"hosts": [ENV.redis_url.get_secret_value()], "prefix": ENV.redis_prefix} if ENV.redis_url else None
CHANNEL_LAYERS: dict[str, Any] = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": _redis}
    if _redis
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE / "staticfiles"
STATICFILES_DIRS = [("addin", BASE / "addin" / "src"), ("addin/samples", BASE / "addin" / "samples")]
# Where files have been collected (the image does it) they lie beside compressed ones, which are served instead.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG or not STATIC_ROOT.is_dir()

# The contract's own limits are told field by field; this one only keeps a hostile body out of memory.
DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = 21_000_000
DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = 21_000_000
APPEND_SLASH = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Well Intake",
    "DESCRIPTION": "An e-mail becomes a run, a run writes one append-only log, and every client reads that log.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["wellintake.openapi.with_streaming"],
    "SERVE_INCLUDE_SCHEMA": False,
}

LOGGING_CONFIG = "wellintake.observability.configure_logging"
LOGGING = {"level": ENV.log_level, "format": ENV.log_format}
