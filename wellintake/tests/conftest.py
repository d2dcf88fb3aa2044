"""Runs cross the apps: they need a log and its threads, too."""

from streaming.tests.conftest import log, threads

__all__ = ["log", "threads"]
