"""Closed runs' events go to Azure Event Hubs: at least once, in batches, behind everything else.

A run is marked when the last of its events is there; one that is opened again afterwards (an undo) loses the mark and
is told again, whole. So whoever reads there takes `(run_id, sequence)` once. A job of the engine calls `tell()`: one
process at a time, and no run waits for it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson
import structlog

from streaming.azure.event_hubs import BatchTooLarge, EventHub, HubAway
from streaming.export import lines_of
from streaming.log import Database
from streaming.models import Run

RUNS_AT_ONCE = 20
BATCH_BYTES = 200_000  # the smallest tier takes 256 KB, with what JSON adds
GO_SECONDS = 20.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
logger = structlog.get_logger()


@dataclass(frozen=True)
class Whole:
    """A run that is over, as far as it was when it was read."""

    run_id: str
    last_sequence: int
    lines: Sequence[bytes]


class Analytics:
    """`mail_text` tells words of the mails, too."""

    def __init__(
        self,
        hub: EventHub,
        write: Database,
        read: Database,
        *,
        mail_text: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub = hub
        self._write = write
        self._read = read
        self._mail_text = mail_text
        self._clock = clock
        self._not_before = 0.0  # by that clock
        self._pause = FIRST_PAUSE_SECONDS

    async def tell(self) -> None:
        """Tell what waits, for some seconds at most; nothing while the hub is to be left alone."""
        if self._clock() < self._not_before:
            return
        ends_at = self._clock() + GO_SECONDS
        try:
            while self._clock() < ends_at and (some := await self._read(_some, self._mail_text)):
                await self._send([line for run in some for line in run.lines])
                await self._write(_mark, some)
                self._pause = FIRST_PAUSE_SECONDS
        except HubAway as away:
            self._leave_alone(away)

    async def close(self) -> None:
        await self._hub.close()

    async def _send(self, lines: Sequence[bytes]) -> None:
        for batch in batches_of(lines):
            await self._send_batch(batch)

    async def _send_batch(self, lines: Sequence[bytes]) -> None:
        try:
            await self._hub.send(lines)
        except BatchTooLarge:
            if len(lines) > 1:
                half = len(lines) // 2
                await self._send_batch(lines[:half])
                await self._send_batch(lines[half:])
            elif (bare := _without_data(lines[0])) != lines[0]:
                await self._send_batch([bare])
            else:
                raise HubAway("status 413", by_itself=False) from None

    def _leave_alone(self, away: HubAway) -> None:
        seconds = min(away.retry_after or self._pause, LONGEST_PAUSE_SECONDS) if away.by_itself else 60.0
        self._not_before = self._clock() + seconds
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        logger.warning("event_hubs_away", problem=away.problem, seconds=seconds)


def batches_of(lines: Sequence[bytes]) -> list[list[bytes]]:
    """In order, none larger than a batch may be unless it is a single event."""
    batches: list[list[bytes]] = []
    size = BATCH_BYTES
    for line in lines:
        # Quotes of a body are escaped in the batch.
        cost = len(line) + line.count(b'"') + line.count(b"\\") + len(b'{"Body":""},')
        if size + cost > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(line)
        size += cost
    return batches


def _without_data(line: bytes) -> bytes:
    """An event that is too large by itself is told as one that was."""
    return orjson.dumps({**orjson.loads(line), "data": {}, "too_large": True})


def _some(mail_text: bool) -> list[Whole]:
    waiting = Run.objects.filter(closed=True, exported=False).only("tenant", "mode", "last_sequence").order_by("pk")
    return [
        Whole(str(run.pk), run.last_sequence, [line for _, line in lines_of(run, mail_text=mail_text)])
        for run in waiting[:RUNS_AT_ONCE]
    ]


def _mark(told: Sequence[Whole]) -> None:
    for run in told:
        unchanged = Run.objects.filter(pk=run.run_id, closed=True, last_sequence=run.last_sequence)
        unchanged.update(exported=True)
