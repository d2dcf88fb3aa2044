"""What both sockets have in common, the WebSocket of contract §5 and the SignalR hub: who is there, which runs it is
told, how far it has read, how it ends. They differ in how things are said (`worded`, `farewell`) and heard."""

import asyncio
import time
from contextlib import ExitStack, aclosing
from functools import partial
from typing import ClassVar

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer

from extraction.seal import Unopened
from extraction.types import Email
from streaming.addresses import Addresses
from streaming.budget import Budget, TooSlow
from streaming.bugs import place_of
from streaming.callers import Caller, stranger_at
from streaming.live import Live
from streaming.pace import Pace
from streaming.problems import Problem, sealed_data
from streaming.runs import Runs
from streaming.wire import Cursor, Entry, Reset, frame

PROTOCOL = "wellintake.v1"
MOST_BYTES = 20_000_000
MOST_RUNS = 200
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 100.0, 1000.0
SEND_SECONDS = 30.0
BYE_SECONDS = 2.0
logger = structlog.get_logger()


class RunSocket(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket. `scope["caller"]` and `scope["address"]` were put there by the access layer; no caller means that its
    ticket was no good."""

    channel_layer_alias = None  # wake-ups come through the process's one tail, not through a channel per socket
    transport: ClassVar[str]
    silent_seconds: ClassVar[float] = 300.0
    silent_readers_may_stay: ClassVar[bool] = True

    def __init__(self, runs: Runs, live: Live, addresses: Addresses) -> None:
        super().__init__()
        self.runs = runs
        self.live = live
        self.addresses = addresses
        self.budget = Budget()
        self.pace = Pace(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._positions: dict[str, Cursor | None] = {}
        self._heard_at = time.monotonic()
        self._sending = 0  # pumps whose envelope the server has not taken yet
        self._sent_at = 0.0  # when it took the last one, or was given the first
        self._open = ExitStack()
        self._closing = False
        self._watch: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ how a socket words things

    def worded(self, text: str) -> str:
        """An envelope or a frame, as this kind of socket sends it."""
        raise NotImplementedError

    def farewell(self, code: int, reconnect: bool, cursors: dict[str, str]) -> str:
        """The last thing that is said, before every close of ours: some servers drop a close's reason."""
        raise NotImplementedError

    async def hear(self, text: str | bytes) -> None:
        """What the client says. May raise `TooSlow`."""
        raise NotImplementedError

    # ------------------------------------------------------------ coming

    async def count(self) -> bool:
        """Count this connection from its first moment on, a stranger's under its address; or say why not, and close."""
        self._caller: Caller | None = self.scope.get("caller")
        holder = self._caller or stranger_at(self.scope.get("address", "unknown"))
        try:
            held, self.connection = await self.live.connect(self.transport, holder, self._goodbye)
        except Problem as problem:
            await self.bye(4012 if problem.status == 503 else 4429, reconnect=True)
            return False
        if self._closing:  # it has gone meanwhile
            held.close()
            return False
        self._open = held
        return True

    async def admit(self) -> bool:
        """Let a caller in; a stranger is told so, and the socket closes."""
        if self._caller is None:
            await self.bye(4401, reconnect=False)
            return False
        self.caller = self._caller
        self._watch = asyncio.create_task(self._watch_over())
        return True

    async def greet(self) -> None:
        data = {"connection_id": self.connection.id, "protocol": PROTOCOL, "server_time": round(time.time(), 3)}
        await self.send_text(self.worded(frame("connection_established", data)))

    async def disconnect(self, code: int) -> None:
        self._closing = True
        for task in (*self._pumps.values(), self._watch):
            if task and task is not asyncio.current_task():
                task.cancel()
        self._open.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._heard_at = time.monotonic()
        text = text_data if text_data is not None else (bytes_data or b"")
        if len(text) > MOST_BYTES:
            return await self.bye(4413, reconnect=False)
        self.budget.heard()
        if self.pace.flooding:
            return await self.bye(4429, reconnect=False)
        await self.pace.turn()
        try:
            await self.hear(text)
        except TooSlow:
            await self.bye(4008, reconnect=True)
        except Exception as error:  # noqa: BLE001
            logger.error("socket_failed", kind=type(error).__name__, where=place_of(error))
            await self.bye(4500, reconnect=True)
        return None

    # ------------------------------------------------------------ runs

    async def start(self, email: Email) -> str:
        """Begin a run; its id."""
        if len(self._pumps) >= MOST_RUNS:
            raise Problem(429, "too_many_runs", "Too many runs on one socket.")
        started = await self.runs.start(email, self.caller)
        return started.run_id

    async def follow(self, run_id: str, cursor: Cursor | None) -> None:
        """Tell a run from a cursor on. Asked twice it is one subscription, from the newer cursor."""
        if run_id in self._pumps:
            known = self._positions.get(run_id)
            if cursor is None or (known and known.epoch == cursor.epoch and known.sequence >= cursor.sequence):
                return
            self._forget(run_id)
        self._positions[run_id] = cursor
        self.connection.begin(run_id, cursor.sequence if cursor else 0)
        self._pumps[run_id] = asyncio.create_task(self._pump(run_id, cursor))

    async def subscribe(self, run_id: str, after: str | None) -> None:
        """Raises `Problem` for a run that this caller may not see, `BadCursor`."""
        await self.runs.visible(run_id, self.caller)
        await self.follow(run_id, Cursor.parse(after))

    def unsubscribe(self, run_id: str) -> None:
        self._forget(run_id)
        self.budget.forget(run_id)

    def _forget(self, run_id: str) -> None:
        if pump := self._pumps.pop(run_id, None):
            pump.cancel()
        self.connection.stop(run_id)

    async def _pump(self, run_id: str, cursor: Cursor | None) -> None:
        try:
            async with aclosing(self.runs.log.follow(run_id, cursor)) as arrivals:
                async for items in arrivals:
                    for item in items:
                        await self._tell(item)
        except TooSlow:
            await self.bye(4008, reconnect=True)
        except Unopened as error:
            logger.error("mail_sealed", run_id=run_id, key=error.key_id)
            await self.send_text(self.worded(frame("error", sealed_data(error, run_id))))
        except Exception as error:  # noqa: BLE001
            logger.error("pump_failed", run_id=run_id, kind=type(error).__name__, where=place_of(error))
            await self.bye(4500, reconnect=True)
        finally:
            if self._pumps.get(run_id) is asyncio.current_task():
                del self._pumps[run_id]
                self.connection.stop(run_id)

    async def _tell(self, item: Entry | Reset) -> None:
        if isinstance(item, Reset):
            base = self.addresses.base_of(self.scope)
            item = item.with_links(self.addresses.links_at(base, self.caller, item.run_id))
        text = self.worded(item.envelope)
        if self.budget.is_full():
            await self.budget.room()
        self.budget.sent(item.run_id, item.sequence, len(text))
        self.connection.outstanding = self.budget.outstanding
        await self._send_watched(text)
        self._positions[item.run_id] = item.cursor
        if isinstance(item, Entry):
            self.runs.log.measures.add("ws_latency_ms", max(time.time() - item.timestamp, 0.0) * 1000)

    async def _send_watched(self, text: str) -> None:
        """As `send_text`, of a pump. `_watch_over` ends it: a timer for each token would cost half of its sending."""
        if self._closing:
            return
        if not self._sending:
            self._sent_at = time.monotonic()
        self._sending += 1
        try:
            await self.send(text_data=text)
        finally:
            self._sending -= 1
            self._sent_at = time.monotonic()

    async def send_text(self, text: str) -> None:
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
        await self.bye(4012, reconnect=True)

    async def bye(self, code: int, *, reconnect: bool) -> None:
        """Say why, then close."""
        if self._closing:
            return
        cursors = {run_id: str(cursor) for run_id, cursor in self._positions.items() if cursor}
        last_words = self.farewell(code, reconnect, cursors)
        self._closing = True
        for say in (partial(self.send, text_data=last_words), partial(self.close, code)):
            try:
                async with asyncio.timeout(BYE_SECONDS):
                    await say()
            except (TimeoutError, RuntimeError):
                logger.info("bye_not_heard", code=code)
        await self.disconnect(code)

    async def _watch_over(self) -> None:
        """Let a client go that reads no more or says no more."""
        while True:
            await asyncio.sleep(min(self.silent_seconds / 10, SEND_SECONDS / 5))
            now = time.monotonic()
            if self._sending and now - self._sent_at > SEND_SECONDS:
                return await self.bye(4008, reconnect=True)
            stays = self.silent_readers_may_stay and self._pumps
            if not stays and now - self._heard_at > self.silent_seconds:
                return await self.bye(4408, reconnect=True)
