"""Whoever is signed in to the admin, as a caller; and what they do there, put down."""

from uuid import UUID

from django.http import HttpRequest

from streaming.audit import Deed
from streaming.callers import Caller


def caller_of(request: HttpRequest, tenant: str = "") -> Caller:
    """`tenant` is whose runs it is about; staff may see them all."""
    name = getattr(request.user, "first_name", "") or request.user.get_username()  # who came by Entra: an id
    return Caller(f"staff:{request.user.pk}", tenant, name, scopes=frozenset({"admin"}))


def put_down(request: HttpRequest, action: str, about: str = "", run_id: UUID | str | None = None) -> None:
    """An entry of the audit log."""
    Deed(action, caller_of(request), about).entry(run_id).save()
