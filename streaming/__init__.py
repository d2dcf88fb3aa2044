"""Runs, their append-only log, and the transports that tell it."""
