"""The WebSocket of contract §5: JSON frames both ways, several runs at once on one socket."""

import time
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from extraction.seal import Unopened
from extraction.types import Corrections, Email
from streaming.parsing import parsed
from streaming.problems import Problem, mail_sealed, problem_from
from streaming.transports.socket import PROTOCOL, RunSocket
from streaming.wire import BadCursor, frame

MOST_BAD_FRAMES = 10


class Message(BaseModel):
    """What every message may say: `acks` announces that the client will acknowledge what it has read."""

    model_config = ConfigDict(extra="forbid")
    acks: bool = False
    request_id: Annotated[str, Field(max_length=200)] | Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None


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


class EmailProcessingConsumer(RunSocket):
    """One socket of contract §5."""

    transport = "websocket"
    _bad_frames = 0

    def worded(self, text: str) -> str:
        return text

    def farewell(self, code: int, reconnect: bool, cursors: dict[str, str]) -> str:
        return frame("bye", {"code": code, "reconnect": reconnect, "cursors": cursors})

    async def connect(self) -> None:
        await self.accept(PROTOCOL if PROTOCOL in self.scope["subprotocols"] else None)
        if await self.count() and await self.admit():
            await self.greet()

    async def hear(self, text: str | bytes) -> None:
        try:
            message = await parsed(_MESSAGE.validate_json, text)
        except ValidationError as error:
            return await self._refuse(None, problem_from(error), malformed=True)
        request_id = message.request_id
        try:
            if message.acks:
                self.budget.expect_acks()
            await self._answer(message)
            self._bad_frames = 0
        except Problem as problem:
            await self._refuse(request_id, problem)
        except Unopened as error:
            await self._refuse(request_id, mail_sealed(error))
        except BadCursor:
            await self._refuse(request_id, Problem(400, "bad_cursor", "A cursor has the form <epoch>.<sequence>."))
        return None

    async def _answer(self, message: ClientMessage) -> None:
        match message:
            case ProcessEmail(data=email):
                run_id = await self.start(email)
                await self._accepted(message, run_id)
                await self.follow(run_id, None)
            case Subscribe(run_id=run_id, after=after):
                await self.subscribe(run_id, after)
            case Unsubscribe(run_id=run_id):
                self.unsubscribe(run_id)
            case Save(run_id=run_id, corrections=corrections):
                await self.runs.save(run_id, self.caller, corrections)
                await self._accepted(message, run_id)
            case Cancel(run_id=run_id):
                await self.runs.cancel(run_id, self.caller)
                await self._accepted(message, run_id)
            case Ack(run_id=run_id, sequence=sequence):
                self.budget.acknowledged(run_id, sequence)
            case Ping():
                self.connection.last_ping = time.time()
                await self.send_text(frame("pong", {"server_time": round(time.time(), 3)}))
            case Close():
                await self.bye(1000, reconnect=False)
            case _:
                assert_never(message)

    async def _accepted(self, message: Message, run_id: str) -> None:
        await self.send_text(frame("accepted", {"request_id": message.request_id, "run_id": run_id}))

    async def _refuse(self, request_id: str | int | None, problem: Problem, *, malformed: bool = False) -> None:
        data = {"request_id": request_id, "code": problem.code, "message": problem.detail, "errors": problem.errors}
        await self.send_text(frame("error", data))
        self._bad_frames += malformed
        if self._bad_frames >= MOST_BAD_FRAMES:
            await self.bye(4400, reconnect=False)
