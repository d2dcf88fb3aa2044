"""Keys, spent tickets, breakers."""

import time

from django.db import models


class ApiKey(models.Model):
    """A key `wi_<id>_<secret>`; only a hash of the secret is kept. A key's tenant is its own unless one is given."""

    id = models.CharField(primary_key=True, max_length=16)
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    tenant = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
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
