"""API keys: `wi_<id>_<secret>`, made once, shown once, kept as a hash. They hold scopes, may expire, can be revoked."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import get_args

from django.db.models import Q
from django.utils import timezone

from streaming.callers import Caller, Scope
from wellintake.models import ApiKey

SCOPES: tuple[Scope, ...] = get_args(Scope)
EVERYTHING: tuple[Scope, ...] = ("intake", "read", "metrics")  # of one tenant
USED_TO_THE_MINUTE = timedelta(minutes=1)  # a row is not written for every call
LEGACY = Caller(subject="key:legacy", tenant="default", name="API_KEY", scopes=frozenset(EVERYTHING))


def make_key(
    name: str,
    tenant: str | None = None,
    scopes: Iterable[Scope] = ("intake", "read"),
    expires_at: datetime | None = None,
) -> str:
    """Create a key and return its only readable copy. Without a tenant the key is a tenant of its own."""
    key = ApiKey(name=name, tenant=tenant or "", scopes=" ".join(scopes), expires_at=expires_at)
    text = give_secret(key)
    key.save(force_insert=True)
    return text


def give_secret(key: ApiKey) -> str:
    """Give a key that is not saved yet its id and its secret: the only readable copy of both."""
    key.id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key.digest = _digest(secret)
    key.tenant = key.tenant or f"key:{key.id}"
    return f"wi_{key.id}_{secret}"


def id_of(key: str) -> str:
    """What is public of a key: its id; `API_KEY` when it has not the form of ours."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    return key_id if prefix == "wi" and secret and len(key_id) <= 16 else LEGACY.name or ""


def holder_of(key: str) -> tuple[Caller, bool] | None:
    """Whose key this is, and whether its last use is to be noted; None when it is unknown, expired or revoked. Takes
    the same time for a wrong secret as for a right one."""
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != "wi" or not secret:
        return None
    known = _good(key_id)
    if not hmac.compare_digest(_digest(secret), known.digest if known else _digest("")) or known is None:
        return None
    is_stale = known.last_used_at is None or timezone.now() - known.last_used_at > USED_TO_THE_MINUTE
    return _holder(known), is_stale


def holder_by_id(key_id: str) -> Caller | None:
    """Who holds the key of this id by now: what was made from a key is worth no more than the key."""
    known = _good(key_id)
    return _holder(known) if known else None


def callers_of_ended_keys(seconds: float) -> list[Caller]:
    """Who held the keys that were revoked or expired within so many seconds."""
    now = timezone.now()
    span = (now - timedelta(seconds=seconds), now)
    ended = ApiKey.objects.filter(Q(revoked_at__range=span) | Q(expires_at__range=span))
    return [_holder(key) for key in ended]


def note_use(subject: str) -> None:
    ApiKey.objects.filter(pk=subject.removeprefix("key:")).update(last_used_at=timezone.now())


def _good(key_id: str) -> ApiKey | None:
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(lasting, pk=key_id, revoked_at=None).first()


def _holder(key: ApiKey) -> Caller:
    return Caller(
        subject=f"key:{key.id}",
        tenant=key.tenant,
        name=key.name,
        scopes=frozenset(scope for scope in SCOPES if scope in key.scopes.split()),
        until=key.expires_at.timestamp() if key.expires_at else None,
    )


def _digest(secret: str) -> str:
    # The secret is 256 random bits: a slow hash would protect nothing and cost every request.
    return hashlib.sha256(secret.encode()).hexdigest()
