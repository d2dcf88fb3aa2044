"""Ends the sockets of those who are no longer welcome: a key that was revoked or has expired, a session that is over.

Streams end by themselves after three minutes, and every new call is verified; a socket may stay open for days.
Connections that Azure SignalR holds are unknown to us, but the users that they belong to are.
"""

import asyncio

import structlog
from django.db import DatabaseError

from streaming.azure.endpoint import CLIENT_SECONDS, user_of
from streaming.azure.service import ServiceAway, SignalRService
from streaming.live import Live
from streaming.log import Database
from wellintake.access.keys import callers_of_ended_keys
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


async def end_the_unwelcome_at_azure(service: SignalRService, read: Database) -> None:
    """The same for connections at Azure."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            await look_once_at_azure(service, read)
        except DatabaseError:
            logger.warning("welcome_unknown")


async def look_once_at_azure(service: SignalRService, read: Database) -> None:
    """Keys that ended by now. Again and again, for as long as the service takes the tokens that were made from them."""
    for caller in await read(callers_of_ended_keys, CLIENT_SECONDS + EVERY_SECONDS):
        try:
            await service.end_user(user_of(caller))
        except ServiceAway:
            logger.warning("unwelcome_at_azure")  # it has been said why; the next look tries again
