"""The truth: runs, their events, their finished steps."""

import time
from typing import Any

from django.db import models
from django.db.models import Q

from streaming.run_ids import new_run_id
from streaming.sealed import SealedText


class Run(models.Model):
    """One e-mail on its way from the pane to the CRM. Belongs to no connection."""

    class State(models.TextChoices):
        QUEUED = "queued"
        EXTRACTING = "extracting"
        REVIEW = "review"
        SAVING = "saving"
        UNDOING = "undoing"
        COMPLETE = "complete"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=new_run_id, editable=False)
    tenant = models.CharField(max_length=100)
    owner = models.CharField(max_length=200, help_text="Subject of the key or user that started it.")
    owner_name = models.CharField("user", max_length=200, blank=True, help_text="The same, as people know them.")
    correlation_id = models.CharField(max_length=64)
    mode = models.CharField(max_length=10)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    closed = models.BooleanField(default=False, help_text="Nothing more will be written to the log.")

    epoch = models.IntegerField(default=1, help_text="Changes if the log is ever rebuilt.")
    first_sequence = models.IntegerField(default=1, help_text="Earlier events were trimmed.")
    # Tokens may follow it: `batches.END` says where a log ends.
    last_sequence = models.IntegerField(default=0)
    lease = models.IntegerField(default=0, help_text="Fences writers: rises with each that takes the run over.")
    attempts = models.IntegerField(default=0, help_text="Openings by workers since the last time it moved on.")
    touched_at = models.FloatField(default=time.time, help_text="Epoch seconds: the last sign of life of its worker.")

    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    digest = models.CharField(max_length=64, help_text="Of the request, to tell a repeated call from another one.")
    message_id = models.CharField(max_length=998, null=True, blank=True)
    email = SealedText(help_text="The request as JSON.")
    corrections = SealedText(null=True, blank=True)
    saved_by = models.CharField(max_length=200, blank=True, help_text="Who approved the save, as people know them.")
    followup = models.JSONField(null=True, blank=True, help_text="Facts of the firm to add after the save, approved.")
    undone = models.IntegerField(default=0, help_text="Saves that were taken back.")
    undoing_by = models.CharField(max_length=200, blank=True, help_text="Who takes the save back, until that is done.")
    engine = models.CharField(max_length=10, blank=True, help_text="Asked for; empty: the server's choice.")
    model = models.CharField(max_length=200, blank=True, help_text="Asked for; empty: the server's choice.")
    rerun_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reruns",
        help_text="The same mail before.",
    )

    model_used = models.CharField(max_length=200, blank=True, help_text="Who was asked; empty: nobody.")
    model_failure = models.CharField(max_length=32, blank=True, help_text="Code of why its answer is not whole.")
    prompt_version = models.CharField(max_length=16, blank=True)
    error_code = models.CharField(max_length=32, null=True, blank=True, help_text="Of why it failed last.")
    input_tokens = models.IntegerField(default=0)
    cached_tokens = models.IntegerField(default=0, help_text="Of the input tokens.")
    output_tokens = models.IntegerField(default=0)
    cost = models.FloatField(null=True, blank=True, help_text="Empty: the settings name no price.")

    created_at = models.FloatField(default=time.time, help_text="Epoch seconds: acceptance.")
    seconds = models.FloatField(null=True, blank=True, help_text="From acceptance to what it came to first.")
    saving_at = models.FloatField(null=True, blank=True, help_text="Epoch seconds: the save was accepted.")
    saved_at = models.FloatField(null=True, blank=True, help_text="The same of the last save, taken back or not.")
    expires_at = models.FloatField(null=True, blank=True, help_text="Epoch seconds: a review is kept until then.")
    # The database's own default, too: while servers are replaced, older ones go on inserting rows.
    exported = models.BooleanField(default=False, db_default=False, help_text="All its events are at Azure Event Hubs.")
    erased_at = models.FloatField(null=True, blank=True, help_text="Epoch seconds: its mail and its log were erased.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="run_once_per_idempotency_key",
            ),
            models.UniqueConstraint(
                fields=["tenant", "message_id"],
                condition=Q(message_id__isnull=False, mode__in=["review", "auto"])
                & ~Q(state__in=["failed", "cancelled"]),
                name="run_once_per_message",
            ),
        ]
        # Not `touched_at` and not `last_sequence`, which move all the time: PostgreSQL then updates the row in place.
        indexes = [
            models.Index(fields=["state"], name="run_open", condition=Q(closed=False)),
            models.Index(fields=["-created_at"], name="run_newest"),
            models.Index(fields=["id"], name="run_to_export", condition=Q(closed=True, exported=False)),
            models.Index(fields=["owner", "tenant", "-created_at"], name="run_of_owner"),
            # The admin's lists (streaming/lists.py).
            models.Index(fields=["state", "-created_at"], name="run_by_state"),
            models.Index(fields=["owner_name", "-created_at"], name="run_by_user"),
            models.Index(fields=["model_used", "-created_at"], name="run_by_model"),
            models.Index(fields=["prompt_version", "-created_at"], name="run_by_prompt"),
            models.Index(fields=["seconds"], name="run_by_duration"),
            models.Index(
                fields=["error_code", "-created_at"], name="run_by_error", condition=Q(error_code__isnull=False)
            ),
            models.Index(fields=["correlation_id"], name="run_by_correlation"),
            models.Index(fields=["message_id"], name="run_by_message", condition=Q(message_id__isnull=False)),
            models.Index(fields=["-saved_at"], name="save_newest", condition=Q(saved_at__isnull=False)),
            models.Index(fields=["state", "-saved_at"], name="save_by_state", condition=Q(saved_at__isnull=False)),
            models.Index(fields=["tenant", "-saved_at"], name="save_by_tenant", condition=Q(saved_at__isnull=False)),
        ]
        permissions = [
            ("view_live", "Can see the live page"),
            ("end_connection", "Can end somebody's connection"),
            ("view_mail", "Can read the mail of a run"),
            ("rerun_run", "Can run a mail again"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SavedRun(Run):
    """A run seen from its save, in the admin's outbox."""

    class Meta:
        proxy = True
        verbose_name = "save"
        verbose_name_plural = "saves (outbox)"


class Event(models.Model):
    """Something that happened to a run. `data` is JSON text, sent as it is by every transport."""

    pk = models.CompositePrimaryKey("run_id", "sequence")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events", db_index=False)
    sequence = models.IntegerField()
    type = models.CharField(max_length=32)
    timestamp = models.FloatField()
    data = SealedText()

    def __str__(self) -> str:
        return f"{self.sequence} {self.type}"


class Reading(models.Model):
    """Somebody began (`after` which event) or stopped to read a run's log."""

    # No constraint in the database: one run that was deleted meanwhile would refuse the others' readings, too.
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="readings", db_constraint=False)
    at = models.FloatField(help_text="Epoch seconds.")
    reader = models.CharField(max_length=200)
    transport = models.CharField(max_length=20)
    connection = models.CharField(max_length=32)
    after = models.IntegerField(null=True, help_text="The event behind which it began; null: it stopped.")

    class Meta:
        indexes = [
            models.Index(fields=["transport", "run"], name="reading_over", condition=Q(after__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.reader} {self.transport}"


class Step(models.Model):
    """A finished piece of a run's work with its result, so that it is never done again. Names are a schema: a step
    whose result changes its shape gets a new name, an old one is never given a new meaning."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=64)
    result = SealedText(help_text="JSON")
    finished_at = models.FloatField(default=time.time)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="step_once")]

    def __str__(self) -> str:
        return self.name


class OnlyAdded(models.QuerySet["AuditEntry"]):
    """Entries are neither changed nor deleted, but for those whose time is over."""

    def update(self, **changes: Any) -> int:
        raise TypeError("an audit entry is never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("an audit entry is never deleted")

    def expire(self, before: float) -> int:
        return self.filter(at__lt=before)._raw_delete(self.db)  # past our own delete


class AuditEntry(models.Model):
    """Somebody did something. No words of a mail, nobody's name but the doer's; it outlives the run."""

    class Action(models.TextChoices):
        START = "start", "handed a mail in"
        RERUN = "rerun", "ran a mail again"
        READ = "read", "read a run"
        READ_MAIL = "read_mail", "read a mail"
        SAVE = "save", "saved"
        CANCEL = "cancel", "cancelled"
        RETRY = "retry", "tried again"
        UNDO = "undo", "took a save back"
        FOLLOW_UP = "follow_up", "added facts to a saved firm"
        END_CONNECTION = "end_connection", "ended a connection"
        MAKE_KEY = "make_key", "made a key"
        REVOKE_KEY = "revoke_key", "revoked a key"
        ASK_ERASURE = "ask_erasure", "asked to erase a person"
        ERASE = "erase", "erased a person"
        EXPORT = "export", "exported"

    at = models.FloatField(default=time.time, help_text="Epoch seconds.")
    action = models.CharField(max_length=16, choices=Action)
    actor = models.CharField(max_length=200, help_text="Subject of the key or user.")
    actor_name = models.CharField(max_length=200, blank=True)
    tenant = models.CharField(max_length=100, blank=True)
    run_id = models.UUIDField(null=True, blank=True)
    about = models.CharField(max_length=200, blank=True, help_text="A key's id, a connection's, a number.")

    objects = OnlyAdded.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at"], name="audit_newest"),
            models.Index(fields=["run_id"], name="audit_of_run"),
            models.Index(fields=["action", "-at"], name="audit_by_action"),
            models.Index(fields=["actor", "-at"], name="audit_by_actor"),
            models.Index(fields=["actor_name", "-at"], name="audit_by_name"),
            models.Index(fields=["tenant", "-at"], name="audit_by_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name or self.actor} {self.get_action_display()}"

    def save(self, *args: Any, **given: Any) -> None:
        if not self._state.adding:
            raise TypeError("an audit entry is never changed")
        super().save(*args, **given)

    def delete(self, *args: Any, **given: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("an audit entry is never deleted")
