"""The embedded CRM's own tables. `key` names the mail and the place in it that a record came from, once and for all."""

import time
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models.functions import Lower


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
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.filename
