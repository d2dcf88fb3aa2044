"""API keys: `wi_<id>_<secret>`, made once, shown once, kept as a hash."""

import hashlib
import hmac
import secrets

from django.utils import timezone

from streaming.callers import Caller
from wellintake.models import ApiKey

LEGACY = Caller(subject="key:legacy", tenant="default", name="API_KEY")


def make_key(name: str, tenant: str | None = None) -> str:
    """Create a key and return its only readable copy. Without a tenant the key is a tenant of its own."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    ApiKey.objects.create(id=key_id, name=name, digest=_digest(secret), tenant=tenant or f"key:{key_id}")
    return f"wi_{key_id}_{secret}"


def caller_of_key(key: str, legacy: str | None) -> Caller | None:
    """Whose key this is. Takes the same time for a wrong secret as for a right one."""
    if legacy and hmac.compare_digest(key.encode(), legacy.encode()):
        return LEGACY
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != "wi" or not secret:
        return None
    known = ApiKey.objects.filter(pk=key_id, revoked_at=None).first()
    if not hmac.compare_digest(_digest(secret), known.digest if known else _digest("")) or known is None:
        return None
    ApiKey.objects.filter(pk=key_id).update(last_used_at=timezone.now())
    return Caller(subject=f"key:{known.id}", tenant=known.tenant, name=known.name)


def _digest(secret: str) -> str:
    # The secret is 256 random bits: a slow hash would protect nothing and cost every request.
    return hashlib.sha256(secret.encode()).hexdigest()
