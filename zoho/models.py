"""The embedded CRM's own tables, the field map and the connection to Zoho.

A record's `key` names the mail and the place in it that it came from, once and for all.
"""

import time
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from zoho.fieldmap import DEFAULT_SOURCES, DEFAULTS, INDISPENSABLE, OUR_SOURCES, FieldMap
from zoho.sealed import SealedBytes


def new_key() -> str:
    """Of a record that somebody enters by hand."""
    return f"by-hand.{uuid4().hex}"


class CrmRecord(models.Model):
    """`modified_at` rises with every change, so that an undo sees whether somebody has changed the record since."""

    key = models.CharField(max_length=200, unique=True, editable=False, default=new_key)
    created_at = models.FloatField(default=time.time, editable=False, help_text="Epoch seconds.")
    modified_at = models.FloatField(default=time.time, editable=False, help_text="Epoch seconds.")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            self.modified_at = time.time()
        super().save(*args, **kwargs)


class KnownRecord(CrmRecord):
    """A record that several mails mean. `filling` is the last time one filled its fields: `{key, before, at}`."""

    filling = models.JSONField(null=True, editable=False)

    class Meta:
        abstract = True


class Account(KnownRecord):
    company_name = models.CharField(max_length=200)
    phone = models.CharField(max_length=50, null=True, blank=True)
    website = models.CharField(max_length=255, null=True, blank=True)
    industry = models.CharField(max_length=120, null=True, blank=True)
    city = models.CharField(max_length=100, null=True, blank=True)
    state = models.CharField(max_length=100, null=True, blank=True)
    country = models.CharField(max_length=100, null=True, blank=True)
    source = models.CharField(max_length=100, null=True, blank=True)
    source_detail = models.CharField(max_length=255, null=True, blank=True)
    who_gets_credit = models.CharField(max_length=50, null=True, blank=True)
    credit_person = models.CharField(max_length=120, null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("company_name"), name="account_once")]

    def __str__(self) -> str:
        return self.company_name


class Contact(KnownRecord):
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts")
    first_name = models.CharField(max_length=100, null=True, blank=True)
    last_name = models.CharField(max_length=100)
    email = models.CharField(max_length=320, null=True, blank=True)
    phone = models.CharField(max_length=50, null=True, blank=True)
    mobile = models.CharField(max_length=50, null=True, blank=True)
    linkedin_url = models.CharField(max_length=255, null=True, blank=True)
    title = models.CharField(max_length=200, null=True, blank=True)
    city = models.CharField(max_length=100, null=True, blank=True)
    state = models.CharField(max_length=100, null=True, blank=True)
    country = models.CharField(max_length=100, null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="contact_once")]

    def __str__(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class Deal(CrmRecord):
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="deals")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="deals")
    deal_name = models.CharField(max_length=120)
    job_title = models.CharField(max_length=200, null=True, blank=True)
    location = models.CharField(max_length=200, null=True, blank=True)
    pipeline = models.CharField(max_length=50)
    stage = models.CharField(max_length=50)
    closing_date = models.CharField(max_length=10, null=True, blank=True)
    description_of_reqs = models.TextField(null=True, blank=True)
    source = models.CharField(max_length=100, null=True, blank=True)
    source_detail = models.CharField(max_length=255, null=True, blank=True)
    meeting_link = models.CharField(max_length=500, null=True, blank=True)

    def __str__(self) -> str:
        return self.deal_name


class Note(CrmRecord):
    deal = models.ForeignKey(Deal, null=True, on_delete=models.CASCADE, related_name="notes")
    title = models.CharField(max_length=120)
    content = models.TextField()

    def __str__(self) -> str:
        return self.title


class Attachment(CrmRecord):
    deal = models.ForeignKey(Deal, null=True, on_delete=models.CASCADE, related_name="attachments")
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    content = SealedBytes()

    def __str__(self) -> str:
        return self.filename


class FieldTarget(models.Model):
    """Which field of Zoho holds one of ours."""

    record = models.CharField(max_length=20, editable=False)
    field = models.CharField(max_length=40, editable=False)
    api_name = models.CharField(
        "API name in Zoho",
        max_length=100,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z]\w*$", "An API name has letters, digits and underscores only.")],
        help_text="As in Zoho under Setup, Developer Hub, APIs and SDKs. Empty: not written.",
    )

    class Meta:
        verbose_name = "Zoho field"
        constraints = [models.UniqueConstraint(fields=["record", "field"], name="one_target_a_field")]
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.record}, {self.field.removesuffix('_id').replace('_', ' ')}"

    def clean(self) -> None:
        if not self.api_name and (self.record, self.field) in INDISPENSABLE:
            raise ValidationError({"api_name": "Records cannot be written without this field."})


class SourceName(models.Model):
    """What one of our sources is called in Zoho's picklist."""

    ours = models.CharField("our source", max_length=100, unique=True, editable=False)
    theirs = models.CharField("in Zoho", max_length=120, help_text="A value of the picklist, in its words.")

    class Meta:
        verbose_name = "Zoho source"
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.ours


def complete_field_map(**signal: object) -> None:
    """A row for each of our fields and sources, so that all of them can be seen and changed."""
    FieldTarget.objects.bulk_create(
        [
            FieldTarget(record=step, field=name, api_name=target)
            for step, targets in DEFAULTS.items()
            for name, target in targets.items()
        ],
        ignore_conflicts=True,
    )
    SourceName.objects.bulk_create(
        [SourceName(ours=source, theirs=DEFAULT_SOURCES.get(source, source)) for source in OUR_SOURCES],
        ignore_conflicts=True,
    )


def stored_field_map(key_field: str | None) -> FieldMap:
    """What administrators have made of the defaults."""
    changed = {(row.record, row.field): row.api_name for row in FieldTarget.objects.all()}
    sources = {row.ours: row.theirs for row in SourceName.objects.all()}
    return FieldMap(changed, {**DEFAULT_SOURCES, **sources}, key_field)


class Connection(models.Model):
    """The one connection to Zoho: the grant that an administrator gave, the access token that all processes share,
    and who is renewing it. Tokens are sealed (`zoho.vault`); times are epoch seconds."""

    name = models.CharField(primary_key=True, max_length=8, default="zoho")
    refresh_token = models.TextField(blank=True)
    accounts_url = models.CharField(max_length=100, blank=True)
    organisation = models.CharField(max_length=255, blank=True)
    connected_by = models.CharField(max_length=150, blank=True)
    connected_at = models.FloatField(null=True)

    grant_mark = models.CharField(max_length=16, blank=True, help_text="Of the grant that the token comes from.")
    access_token = models.TextField(blank=True)
    api_url = models.CharField(max_length=100, blank=True)
    renew_at = models.FloatField(default=0.0)
    expires_at = models.FloatField(default=0.0)
    renewals = models.PositiveIntegerField(default=0)

    renewing_by = models.CharField(max_length=16, blank=True)
    renewing_until = models.FloatField(default=0.0)
    ask_again_at = models.FloatField(default=0.0)
    error_code = models.CharField(max_length=32, blank=True)
    error = models.CharField(max_length=255, blank=True)
    error_at = models.FloatField(null=True)

    class Meta:
        verbose_name = "Zoho connection"

    def __str__(self) -> str:
        return self.organisation or "Zoho"
