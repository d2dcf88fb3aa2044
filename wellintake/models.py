"""Keys, spent tickets, breakers, remembered corrections, the live page's last hour."""

import time

from django.db import models
from django.db.models import Q


class ApiKey(models.Model):
    """A key `wi_<id>_<secret>`; only a hash of the secret is kept."""

    id = models.CharField(primary_key=True, max_length=16)
    name = models.CharField(max_length=100, help_text="What or whom it is for.")
    digest = models.CharField(max_length=64)
    tenant = models.CharField(
        max_length=100,
        blank=True,
        help_text="Its holders see each other's runs. Empty: the key is a tenant of its own.",
    )
    scopes = models.CharField(max_length=100, default="intake read", help_text="By spaces, as in OAuth.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name


class SpentTicket(models.Model):
    """A socket ticket that was used: the primary key makes the second use fail on every replica."""

    id = models.CharField(primary_key=True, max_length=32)
    expires_at = models.FloatField(default=time.time, db_index=True)

    def __str__(self) -> str:
        return self.id


class Circuit(models.Model):
    """An `extraction.breaker.Breaker`, in a row that all processes share. Deleting it closes the breaker."""

    name = models.CharField(primary_key=True, max_length=255)
    failures = models.IntegerField(default=0)
    code = models.CharField(max_length=32, blank=True)
    since = models.FloatField(null=True, blank=True)
    until = models.FloatField(default=0.0)
    probe = models.CharField(max_length=16, blank=True)

    def __str__(self) -> str:
        return self.name


class LearnedRule(models.Model):
    """An `extraction.memory.LearnedRule`: a correction that was saved, said again until somebody revokes it."""

    tenant = models.CharField(max_length=100)
    scope_kind = models.CharField("scope", max_length=8, choices=[("domain", "mail domain"), ("company", "company")])
    scope = models.CharField("holds for", max_length=200)
    record = models.CharField(max_length=8)
    field = models.CharField(max_length=32)
    original = models.CharField(max_length=200, blank=True, help_text="What was found; empty: nothing.")
    value = models.CharField(max_length=200, help_text="What the user put.")
    run_id = models.UUIDField(help_text="The run whose save taught it.")
    learned_by = models.CharField(max_length=200)
    learned_at = models.FloatField(default=time.time, help_text="Epoch seconds.")
    revoked_by = models.CharField(max_length=200, blank=True, help_text="Who revoked it, or corrected it otherwise.")
    revoked_at = models.FloatField(null=True, blank=True)

    class Meta:
        verbose_name = "remembered correction"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "scope_kind", "scope", "record", "field", "original"],
                condition=Q(revoked_at__isnull=True),
                name="one_answer_to_a_mistake",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original or '(nothing)'} → {self.value}"


class RuleUse(models.Model):
    """A run in which a rule spoke. A row each, so that a run which is repeated counts once."""

    rule = models.ForeignKey(LearnedRule, on_delete=models.CASCADE, related_name="uses")
    run_id = models.UUIDField()
    used_at = models.FloatField(default=time.time)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "run_id"], name="rule_used_once_a_run")]

    def __str__(self) -> str:
        return str(self.run_id)


class Erasure(models.Model):
    """Somebody asks for a person to be erased; somebody else does it. Then the address is gone, too."""

    address = models.CharField("mail address", max_length=320)
    reason = models.CharField(max_length=200, help_text="Such as the number of the request. Not the person's name.")
    asked_by = models.ForeignKey("auth.User", on_delete=models.PROTECT, related_name="+", editable=False)
    asked_at = models.DateTimeField(auto_now_add=True)
    done_by = models.ForeignKey("auth.User", on_delete=models.PROTECT, related_name="+", null=True, editable=False)
    done_at = models.DateTimeField(null=True, editable=False)
    outcome = models.CharField(max_length=200, blank=True, editable=False)
    elsewhere = models.JSONField("to be deleted at Zoho", default=list, editable=False)

    class Meta:
        permissions = [("do_erasure", "Can erase a person that somebody else has asked for")]

    def __str__(self) -> str:
        return f"request {self.pk}"


class LivePoint(models.Model):
    """How things stood, over all processes, in ten seconds of the last hour."""

    slot = models.BigIntegerField(primary_key=True, help_text="Epoch seconds, divided by ten.")
    data = models.JSONField()

    def __str__(self) -> str:
        return str(self.slot)
