"""A SignalR hub for stock clients: WebSockets, the JSON protocol, the methods of contract §4.

Protocol: https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md. Records are JSON in text
frames, each ended by U+001E. What the server says is one invocation, `event(envelope)`; what outlives a connection is
the cursor's business, so there are neither streams nor stateful reconnects.
"""

import asyncio
import time
from typing import Any, Literal, Protocol, get_args

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from extraction.seal import Unopened
from extraction.types import Corrections, Email
from streaming.budget import TooSlow
from streaming.parsing import parsed
from streaming.problems import Problem, problem_from
from streaming.transports.socket import RunSocket
from streaming.wire import BadCursor, dumps

END = "\x1e"
HANDSHAKE_SECONDS = 15.0
PING_SECONDS = 15.0  # stock clients give up after 30 s of silence
INVOCATION, STREAM_ITEM, COMPLETION, STREAM_INVOCATION, CANCEL, PING, CLOSE = range(1, 8)
# Reasons as people read them: a stock client shows this text.
REASONS = {
    1000: "Done.",
    4008: "This client does not read fast enough.",
    4012: "The server restarts.",
    4400: "This is not SignalR's JSON protocol.",
    4401: "Not signed in.",
    4408: "Silent for too long.",
    4413: "The message is too large.",
    4429: "Too many connections.",
    4500: "Something went wrong on the server.",
}


class Handshake(BaseModel):
    protocol: Literal["json"]
    version: Literal[1]


class Record(BaseModel):
    """Any record of a client. What a type does not use is left out."""

    type: int
    target: str = ""
    arguments: list[Any] = []
    invocationId: str | None = None  # noqa: N815  (the protocol's name)


class EmailHub(RunSocket):
    """`ProcessEmail(email)` → `{run_id}` · `Subscribe(runId, cursor?)` · `Unsubscribe(runId)` ·
    `Save(runId, corrections?)` → state · `Cancel(runId)` → state · `Ack(runId, sequence)`: optional, lets the server
    wait for a slow reader."""

    transport = "signalr"
    silent_seconds = 60.0
    silent_readers_may_stay = False  # stock clients ping every 15 s
    _shaken = False
    _beside: asyncio.Task[None] | None = None

    def worded(self, text: str) -> str:
        return f'{{"type":{INVOCATION},"target":"event","arguments":[{text}]}}{END}'

    def farewell(self, code: int, reconnect: bool, cursors: dict[str, str]) -> str:
        error = {} if code == 1000 else {"error": REASONS[code]}
        closing = {"type": CLOSE, "allowReconnect": reconnect, **error} if self._shaken else error
        return dumps(closing) + END

    async def connect(self) -> None:
        await self.accept()
        # A stranger is counted at once, since nothing makes it shake hands. A caller is refused in its handshake only:
        # Microsoft's client takes an earlier answer for a bug of its own.
        if self.scope.get("caller") or await self.count():
            self._beside = asyncio.create_task(self._keep_alive())

    async def disconnect(self, code: int) -> None:
        if self._beside and self._beside is not asyncio.current_task():
            self._beside.cancel()
        await super().disconnect(code)

    async def _keep_alive(self) -> None:
        await asyncio.sleep(HANDSHAKE_SECONDS)
        if not self._shaken:
            return await self.bye(4408, reconnect=False)
        try:
            while True:
                await self.send_text(dumps({"type": PING}) + END)
                await asyncio.sleep(PING_SECONDS)
        except TooSlow:
            return await self.bye(4008, reconnect=True)

    # ------------------------------------------------------------ what the client says

    async def hear(self, text: str | bytes) -> None:
        records = (text if isinstance(text, str) else text.decode("utf-8", "replace")).split(END)
        if records.pop():  # every record is ended
            return await self.bye(4400, reconnect=False)
        for record in records:
            if self._closing:
                return None
            await (self._hear_record(record) if self._shaken else self._shake_hands(record))
        return None

    async def _shake_hands(self, text: str) -> None:
        try:
            Handshake.model_validate_json(text)
        except ValidationError:
            return await self.bye(4400, reconnect=False)
        is_counted = not self.scope.get("caller") or await self.count()
        if (
            is_counted and await self.admit()
        ):  # a refusal is the handshake's error, so that a client counts it as no connection
            self._shaken = True
            await self.send_text("{}" + END)
            await self.greet()
        return None

    async def _hear_record(self, text: str) -> None:
        try:
            record = await parsed(Record.model_validate_json, text)
        except ValidationError:
            return await self.bye(4400, reconnect=False)
        match record.type:
            case kind if kind == INVOCATION:
                await self._invoke(record)
            case kind if kind in (STREAM_INVOCATION, CANCEL):
                await self._complete(record, error="This hub has no streams.")
            case kind if kind == PING:
                self.connection.last_ping = time.time()
            case kind if kind == CLOSE:
                await self.bye(1000, reconnect=False)
        return None

    async def _invoke(self, record: Record) -> None:
        outcome = await outcome_of(self, record)
        await self._complete(record, **outcome)
        # The caller knows its run by now; only then it is told.
        if record.target == "ProcessEmail" and "result" in outcome:
            await self.follow(outcome["result"]["run_id"], None)

    async def _complete(self, record: Record, **outcome: Any) -> None:
        if record.invocationId is not None:
            await self.send_text(completion_of(record, outcome))

    # ------------------------------------------------------------ methods

    async def process_email(self, email: Email) -> dict[str, str]:
        return {"run_id": await self.start(email)}

    async def leave(self, run_id: str) -> None:
        self.unsubscribe(run_id)

    async def save(self, run_id: str, corrections: Corrections | None) -> str:
        return str(await self.runs.save(run_id, self.caller, corrections or Corrections()))

    async def cancel(self, run_id: str) -> str:
        return str(await self.runs.cancel(run_id, self.caller))

    async def acknowledge(self, run_id: str, sequence: int) -> None:
        self.budget.acknowledged(run_id, sequence)


class Methods(Protocol):
    """What a client may call, wherever its connection is held: here, or by Azure. May raise `Problem`, `BadCursor`."""

    async def process_email(self, email: Email) -> dict[str, str]: ...

    async def subscribe(self, run_id: str, after: str | None) -> None: ...

    async def leave(self, run_id: str) -> None: ...

    async def save(self, run_id: str, corrections: Corrections | None) -> str: ...

    async def cancel(self, run_id: str) -> str: ...

    async def acknowledge(self, run_id: str, sequence: int) -> None: ...


# By the names that clients use: ours, and the arguments. Trailing ones may be left out where null will do.
METHODS: dict[str, tuple[str, Any]] = {
    "ProcessEmail": ("process_email", tuple[Email]),
    "Subscribe": ("subscribe", tuple[str, str | None]),
    "Unsubscribe": ("leave", tuple[str]),
    "Save": ("save", tuple[str, Corrections | None]),
    "Cancel": ("cancel", tuple[str]),
    "Ack": ("acknowledge", tuple[str, int]),
}
_ARGUMENTS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(shape) for name, (_, shape) in METHODS.items()}


async def outcome_of(methods: Methods, record: Record) -> dict[str, Any]:
    """Do what an invocation asks for: `result`, or `error` in words for people."""
    if record.target not in METHODS:
        return {"error": "This hub has no such method."}
    name, shape = METHODS[record.target]
    given = (*record.arguments, *[None] * (len(get_args(shape)) - len(record.arguments)))
    try:
        arguments = await asyncio.to_thread(_ARGUMENTS[record.target].validate_python, given)
    except ValidationError as error:
        return {"error": problem_from(error).detail}
    try:
        return {"result": await getattr(methods, name)(*arguments)}
    except Problem as problem:
        return {"error": problem.detail}
    except Unopened as error:
        return {"error": error.message}
    except BadCursor:
        return {"error": "A cursor has the form <epoch>.<sequence>."}


def completion_of(record: Record, outcome: dict[str, Any]) -> str:
    """The answer to an invocation that asked for one."""
    return orjson.dumps({"type": COMPLETION, "invocationId": record.invocationId, **outcome}).decode() + END
