"""The WebSocket of contract §5: a thin shell over `Runs` and `Log.follow`, several runs at once on one socket."""

import asyncio
import time
from contextlib import ExitStack, aclosing
from functools import partial
from typing import Annotated, Literal, assert_never

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from extraction.types import Corrections, Email
from streaming.addresses import Addresses
from streaming.budget import Budget, TooSlow
from streaming.bugs import place_of
from streaming.callers import Caller
from streaming.live import Connection, Live
from streaming.parsing import parsed
from streaming.problems import Problem, problem_from
from streaming.runs import Runs
from streaming.wire import BadCursor, Cursor, Entry, Reset, frame

PROTOCOL = "wellintake.v1"
MOST_BYTES = 20_000_000
MOST_BAD_FRAMES = 10
MOST_RUNS = 200
SILENT_SECONDS = 300.0
SEND_SECONDS = 30.0
BYE_SECONDS = 2.0
logger = structlog.get_logger()


class Message(BaseModel):
    """What every message may say: `acks` announces that the client will acknowledge what it has read."""

    model_config = ConfigDict(extra="forbid")
    acks: bool = False
    request_id: str | int | None = None


class ProcessEmail(Message):
    type: Literal["process_email"]
    data: Email


class Subscribe(Message):
    type: Literal["subscribe"]
    run_id: str
    after: str | None = None


class Unsubscribe(Message):
    type: Literal["unsubscribe"]
    run_id: str


class Save(Message):
    type: Literal["save"]
    run_id: str
    corrections: Corrections = Corrections()


class Cancel(Message):
    type: Literal["cancel"]
    run_id: str


class Ack(Message):
    type: Literal["ack"]
    run_id: str
    sequence: Annotated[int, Field(ge=0)]


class Ping(Message):
    type: Literal["ping"]


class Close(Message):
    type: Literal["close"]


ClientMessage = ProcessEmail | Subscribe | Unsubscribe | Save | Cancel | Ack | Ping | Close
_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


class EmailProcessingConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket. `scope["caller"]` was put there by the access layer; None means that its ticket was no good."""

    channel_layer_alias = None  # wake-ups come through the process's one tail, not through a channel per socket

    def __init__(self, runs: Runs, live: Live, addresses: Addresses) -> None:
        super().__init__()
        self.runs = runs
        self.live = live
        self.addresses = addresses
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._positions: dict[str, Cursor | None] = {}
        self._budget = Budget()
        self._bad_frames = 0
        self._heard_at = time.monotonic()
        self._open = ExitStack()
        self._closing = False
        self._watch: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)
        caller: Caller | None = self.scope.get("caller")
        if caller is None:
            return await self._bye(4401, reconnect=False)
        try:
            self._connection = self._open.enter_context(self.live.connected("websocket", caller, self._goodbye))
        except Problem as problem:
            return await self._bye(4012 if problem.status == 503 else 4429, reconnect=True)
        self._caller = caller
        self._watch = asyncio.create_task(self._watch_silence())
        await self._send(_hello(self._connection))
        return None

    async def disconnect(self, code: int) -> None:
        self._closing = True
        for task in (*self._pumps.values(), self._watch):
            if task and task is not asyncio.current_task():
                task.cancel()
        self._open.close()

    # ------------------------------------------------------------ what the client says

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._heard_at = time.monotonic()
        text = text_data if text_data is not None else (bytes_data or b"")
        if len(text) > MOST_BYTES:
            return await self._bye(4413, reconnect=False)
        self._budget.heard()
        try:
            await self._hear(text)
        except TooSlow:
            await self._bye(4008, reconnect=True)
        except Exception as error:  # noqa: BLE001
            logger.error("socket_failed", kind=type(error).__name__, where=place_of(error))
            await self._bye(4500, reconnect=True)
        return None

    async def _hear(self, text: str | bytes) -> None:
        request_id = None
        try:
            message = await parsed(_MESSAGE.validate_json, text)
            request_id = message.request_id
            if message.acks:
                self._budget.expect_acks()
            await self._answer(message)
            self._bad_frames = 0
        except ValidationError as error:
            await self._refuse(request_id, problem_from(error), malformed=True)
        except Problem as problem:
            await self._refuse(request_id, problem)
        except BadCursor:
            await self._refuse(request_id, Problem(400, "bad_cursor", "A cursor has the form <epoch>.<sequence>."))

    async def _answer(self, message: ClientMessage) -> None:
        match message:
            case ProcessEmail(data=email):
                if len(self._pumps) >= MOST_RUNS:
                    raise Problem(429, "too_many_runs", "Too many runs on one socket.")
                started = await self.runs.start(email, self._caller)
                await self._accepted(message, started.run_id)
                await self._follow(started.run_id, None)
            case Subscribe(run_id=run_id, after=after):
                await self.runs.visible(run_id, self._caller)
                await self._follow(run_id, Cursor.parse(after))
            case Unsubscribe(run_id=run_id):
                self._forget(run_id)
                self._budget.forget(run_id)
            case Save(run_id=run_id, corrections=corrections):
                await self.runs.save(run_id, self._caller, corrections)
                await self._accepted(message, run_id)
            case Cancel(run_id=run_id):
                await self.runs.cancel(run_id, self._caller)
                await self._accepted(message, run_id)
            case Ack(run_id=run_id, sequence=sequence):
                self._budget.acknowledged(run_id, sequence)
            case Ping():
                self._connection.last_ping = time.time()
                await self._send(frame("pong", {"server_time": round(time.time(), 3)}))
            case Close():
                await self._bye(1000, reconnect=False)
            case _:
                assert_never(message)

    async def _accepted(self, message: Message, run_id: str) -> None:
        await self._send(frame("accepted", {"request_id": message.request_id, "run_id": run_id}))

    async def _refuse(self, request_id: str | int | None, problem: Problem, *, malformed: bool = False) -> None:
        data = {"request_id": request_id, "code": problem.code, "message": problem.detail, "errors": problem.errors}
        await self._send(frame("error", data))
        self._bad_frames += malformed
        if self._bad_frames >= MOST_BAD_FRAMES:
            await self._bye(4400, reconnect=False)

    # ------------------------------------------------------------ what the log says

    async def _follow(self, run_id: str, cursor: Cursor | None) -> None:
        """Tell a run from a cursor on. Asked twice it is one subscription, from the newer cursor."""
        if run_id in self._pumps:
            known = self._positions.get(run_id)
            if cursor is None or (known and known.epoch == cursor.epoch and known.sequence >= cursor.sequence):
                return
            self._forget(run_id)
        self._positions[run_id] = cursor
        self._connection.runs.add(run_id)
        self._pumps[run_id] = asyncio.create_task(self._pump(run_id, cursor))

    def _forget(self, run_id: str) -> None:
        if pump := self._pumps.pop(run_id, None):
            pump.cancel()
        self._connection.runs.discard(run_id)

    async def _pump(self, run_id: str, cursor: Cursor | None) -> None:
        try:
            async with aclosing(self.runs.log.follow(run_id, cursor)) as arrivals:
                async for items in arrivals:
                    for item in items:
                        await self._tell(item)
        except TooSlow:
            await self._bye(4008, reconnect=True)
        except Exception as error:  # noqa: BLE001
            logger.error("pump_failed", run_id=run_id, kind=type(error).__name__, where=place_of(error))
            await self._bye(4500, reconnect=True)
        finally:
            if self._pumps.get(run_id) is asyncio.current_task():
                del self._pumps[run_id]
                self._connection.runs.discard(run_id)

    async def _tell(self, item: Entry | Reset) -> None:
        if isinstance(item, Reset):
            base = self.addresses.base_of(self.scope)
            item = item.with_links(self.addresses.links_at(base, self._caller, item.run_id))
        text = item.envelope
        await self._budget.room()
        self._budget.sent(item.run_id, item.sequence, len(text))
        self._connection.outstanding = self._budget.outstanding
        await self._send(text)
        self._positions[item.run_id] = item.cursor
        if isinstance(item, Entry):
            self.runs.log.measures.add("ws_latency_ms", max(time.time() - item.timestamp, 0.0) * 1000)

    async def _send(self, text: str) -> None:
        """Send, or find that the client has stopped reading (servers with back-pressure block here)."""
        if self._closing:
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.send(text_data=text)
        except TimeoutError:
            raise TooSlow from None

    # ------------------------------------------------------------ the end

    async def _goodbye(self) -> None:
        await self._bye(4012, reconnect=True)

    async def _bye(self, code: int, *, reconnect: bool) -> None:
        """Say why, in a frame, before every close of ours: some servers drop a close's reason."""
        if self._closing:
            return
        cursors = {run_id: str(cursor) for run_id, cursor in self._positions.items() if cursor}
        farewell = frame("bye", {"code": code, "reconnect": reconnect, "cursors": cursors})
        self._closing = True
        for say in (partial(self.send, text_data=farewell), partial(self.close, code)):
            try:
                async with asyncio.timeout(BYE_SECONDS):
                    await say()
            except (TimeoutError, RuntimeError):
                logger.info("bye_not_heard", code=code)
        await self.disconnect(code)

    async def _watch_silence(self) -> None:
        while True:
            await asyncio.sleep(SILENT_SECONDS / 10)
            if not self._pumps and time.monotonic() - self._heard_at > SILENT_SECONDS:
                return await self._bye(4408, reconnect=True)


def _hello(connection: Connection) -> str:
    data = {"connection_id": connection.id, "protocol": PROTOCOL, "server_time": round(time.time(), 3)}
    return frame("connection_established", data)
