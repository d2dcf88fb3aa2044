"""Erasing a person takes two: one asks, another one looks and does it."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from extraction.seal import Unopened
from wellintake.models import Erasure
from wellintake.retention import UNSEARCHED, Erased, StillSaving, erase_person, runs_about
from wellintake.staff import put_down


class ErasureAdmin(admin.ModelAdmin[Erasure]):
    list_display = ("__str__", "address", "reason", "asked_by", "asked_at", "done_by", "done_at", "outcome")
    ordering = ("-asked_at",)
    fields = ("address", "reason")
    known = ("asked_by", "asked_at", "found", "done_by", "done_at", "outcome", "elsewhere")
    actions = ("erase",)

    def get_fields(self, request: HttpRequest, obj: Erasure | None = None) -> Any:
        return (*self.fields, *self.known) if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Erasure | None = None) -> Any:
        return (*self.fields, *self.known) if obj else ()

    @admin.display(description="runs that name this person now")
    def found(self, erasure: Erasure) -> int | str:
        try:
            return "" if erasure.done_at else len(runs_about(erasure.address))
        except Unopened as error:
            return UNSEARCHED.format(key=error.key_id)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.asked_by = request.user
        super().save_model(request, obj, form, change)
        put_down(request, "ask_erasure", about=str(obj))

    @admin.action(description="Erase these people, for good", permissions=["do"])
    def erase(self, request: HttpRequest, chosen: QuerySet[Erasure]) -> None:
        for erasure in chosen.filter(done_at=None):
            if erasure.asked_by_id == request.user.pk:
                self.message_user(request, f"{erasure}: it takes somebody else than who asked.", messages.ERROR)
                continue
            try:
                erased = self._erase(request, erasure)
            except StillSaving:
                told = f"{erasure}: a mail of this person is just being saved. Try again in a minute."
                self.message_user(request, told, messages.ERROR)
            except Unopened as error:
                self.message_user(request, f"{erasure}: {UNSEARCHED.format(key=error.key_id)}", messages.ERROR)
            else:
                self.message_user(request, f"{erasure}: erased {erased}.", messages.SUCCESS)

    @transaction.atomic
    def _erase(self, request: HttpRequest, erasure: Erasure) -> Erased:
        erased = erase_person(erasure.address)
        erasure.address, erasure.outcome, erasure.elsewhere = "(erased)", str(erased), list(erased.elsewhere)
        erasure.done_by, erasure.done_at = request.user, timezone.now()  # type: ignore[assignment]
        erasure.save()
        put_down(request, "erase", about=str(erasure))
        return erased

    def has_do_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("wellintake.do_erasure")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_do_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
