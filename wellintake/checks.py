"""System checks: what would only show later, said at start."""

import importlib.util
import sqlite3
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import connection

from extraction.seal import Unopened
from streaming.models import Run


@register()
def returning_is_known(app_configs: Any, **given: Any) -> list[CheckMessage]:
    if not settings.ENV.uses_postgresql and sqlite3.sqlite_version_info < (3, 35):
        return [Error("SQLite is older than 3.35 and does not know RETURNING.", id="wellintake.E001")]
    return []


@register()
def workflow_is_installed(app_configs: Any, **given: Any) -> list[CheckMessage]:
    if settings.ENV.workflow == "langgraph" and importlib.util.find_spec("langgraph") is None:
        hint = "pip install --require-hashes -r requirements-langgraph.txt"
        return [Error("WORKFLOW=langgraph, and LangGraph is not installed.", hint=hint, id="wellintake.E003")]
    return []


@register()
def processes_hear_of_each_other(app_configs: Any, **given: Any) -> list[CheckMessage]:
    if settings.ENV.uses_postgresql and not settings.ENV.redis_url:
        hint = "REDIS_URL carries the queue and the wake-ups; a second process would follow runs with seconds of delay."
        return [checks.Info("PostgreSQL without Redis is for one process.", hint=hint, id="wellintake.I001")]
    return []


@register(deploy=True)
def public_address_is_known(app_configs: Any, **given: Any) -> list[CheckMessage]:
    if not settings.PUBLIC_URL:
        hint = "Behind a proxy the links in answers follow the Host header; PUBLIC_URL fixes them."
        return [checks.Warning("PUBLIC_URL is not set.", hint=hint, id="wellintake.W001")]
    return []


@register(deploy=True)
def proxies_are_known(app_configs: Any, **given: Any) -> list[CheckMessage]:
    if not settings.ENV.trusted_proxies:
        hint = "Behind a proxy every client would have its address, and share one limit: name its network."
        return [checks.Warning("TRUSTED_PROXIES is not set.", hint=hint, id="wellintake.W002")]
    return []


@register(deploy=True)
def mails_are_sealed(app_configs: Any, **given: Any) -> list[CheckMessage]:
    if not settings.MAIL_KEYS:
        hint = "MAIL_ENCRYPTION_KEYS encrypts them; `manage.py rotate_mail_keys --new-key` makes one."
        return [checks.Warning("Mails are kept as they are.", hint=hint, id="wellintake.W003")]
    return []


@register(checks.Tags.database)
def mails_can_be_opened(app_configs: Any, databases: Any = None, **given: Any) -> list[CheckMessage]:
    """Said of the newest mail when `migrate` asks; `rotate_mail_keys --count` knows of all."""
    if not databases or Run._meta.db_table not in connection.introspection.table_names():
        return []
    try:
        Run.objects.order_by("-created_at").values_list("email", flat=True).first()
    except Unopened as error:
        told = f"The newest mail is encrypted with key {error.key_id}, which MAIL_ENCRYPTION_KEYS does not hold."
        hint = "Put the key back (docs/security.md); what it has encrypted is lost without it."
        return [checks.Warning(told, hint=hint, id="wellintake.W004")]
    return []


@register()
def debug_is_for_one_machine(app_configs: Any, **given: Any) -> list[CheckMessage]:
    local = {"localhost", "127.0.0.1", "[::1]"}
    if settings.DEBUG and not set(settings.ALLOWED_HOSTS) <= local:
        return [Error("DEBUG is on, and ALLOWED_HOSTS names other hosts than this machine.", id="wellintake.E002")]
    return []
