"""Ends the sockets of those who are no longer welcome: a key that was revoked or has expired, a session that is over.

Streams end by themselves after three minutes, and every new call is verified; a socket may stay open for days.
"""

import asyncio

import structlog
from django.db import DatabaseError

from streaming.live import Live
from wellintake.access.verifier import Verifier

EVERY_SECONDS = 30.0
logger = structlog.get_logger()


async def end_the_unwelcome(live: Live, verifier: Verifier) -> None:
    """Look every half minute, for as long as the process lives."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await look_once(live, verifier)
        except DatabaseError:
            logger.warning("welcome_unknown")  # nobody is sent away because the database is


async def look_once(live: Live, verifier: Verifier) -> None:
    by_caller = {connection.caller: await verifier.still(connection.caller) for connection in live.connections()}
    for connection in live.connections():
        now = by_caller.get(connection.caller, connection.caller)
        if now is None or now.scopes != connection.caller.scopes:
            live.end(connection.id)  # it comes back with what it is by then, or is told why not
