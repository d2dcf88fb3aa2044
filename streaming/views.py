"""The HTTP shells: each reads its request, asks `Runs`, and tells the log in the form that was asked for."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import ExitStack, aclosing
from types import ModuleType
from typing import Any

import orjson
import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from pydantic import Field

from extraction.events import SETTLING
from extraction.followup import FollowUp
from extraction.seal import Unopened
from extraction.types import Corrections, Email, Strict
from streaming.addresses import Addresses
from streaming.azure.endpoint import group_of, user_of
from streaming.azure.service import ServiceAway, SignalRService, not_now
from streaming.callers import Caller
from streaming.live import Connection, Live
from streaming.models import Run
from streaming.parsing import parsed
from streaming.problems import Problem, sealed_data
from streaming.requests import body_of, caller_of, content_of, endpoint, idempotency_key_of
from streaming.responses import json_response
from streaming.runs import RerunRequest, Runs, Started
from streaming.transports import ndjson, polling, sse
from streaming.wire import Cursor, Item, Reset, dumps, frame

STREAM_SECONDS = 180.0  # ingresses cut at four minutes: end before them, at a clean boundary, and be resumed
MOST_WAIT_SECONDS = 25.0
WHOLE_SECONDS = 120.0
logger = structlog.get_logger()


class Batch(Strict):
    """Several mails in one call."""

    emails: list[Email] = Field(min_length=1, max_length=50)


class Save(Strict):
    """Approval, with what the user changed."""

    corrections: Corrections = Corrections()


class StreamingViews:
    """All `/stream` calls about runs. `addresses` makes absolute links; clients may be connected to `signalr`, too."""

    def __init__(self, runs: Runs, live: Live, addresses: Addresses, signalr: SignalRService | None = None) -> None:
        self._runs = runs
        self._live = live
        self._addresses = addresses
        self._signalr = signalr

    @endpoint("GET", "POST")
    async def negotiate(self, request: HttpRequest) -> HttpResponseBase:
        """How to connect (contract §4)."""
        caller = caller_of(request)
        if "negotiateVersion" in request.GET:
            return json_response(self._addresses.hub(caller))
        return json_response(self._addresses.connections(request, caller))

    # ------------------------------------------------------------ starting

    @endpoint("POST")
    async def start(self, request: HttpRequest) -> HttpResponseBase:
        caller = caller_of(request)
        started = await self._start(request, caller, await body_of(request, Email))
        links = self._addresses.links(request, caller, started.run_id)
        data = {"run_id": started.run_id, "cursor": str(started.cursor), "links": links}
        return _about(started, links, json_response(data, 202))

    @endpoint("POST")
    async def start_sse(self, request: HttpRequest) -> HttpResponseBase:
        return await self._start_stream(request, sse)

    @endpoint("POST")
    async def batch(self, request: HttpRequest) -> HttpResponseBase:
        """NDJSON of one mail or of up to 50 interleaved; or, with `stream_chunks=false`, one JSON at the end."""
        whole = request.GET.get("stream_chunks", "true").lower() in ("false", "0", "no")
        caller_of(request)
        if await parsed(_is_batch, content_of(request)):
            given = await body_of(request, Batch)
            return await (self._whole_batch(request, given) if whole else self._stream_batch(request, given))
        if whole:
            return await self._whole_run(request)
        return await self._start_stream(request, ndjson)

    async def _start(self, request: HttpRequest, caller: Caller, email: Email) -> Started:
        self._live.raise_when_draining()
        return await self._runs.start(email, caller, key=idempotency_key_of(request))

    async def _start_stream(self, request: HttpRequest, transport: ModuleType) -> HttpResponseBase:
        caller = caller_of(request)
        email = await body_of(request, Email)
        # The stream's place first: a call that is refused has started nothing.
        held = await self._connect(transport.__name__.rpartition(".")[2], caller)
        try:
            started = await self._start(request, caller, email)
        except BaseException:
            held[0].close()
            raise
        links = self._addresses.links(request, caller, started.run_id)
        stream = await self._stream(request, transport, caller, started.run_id, started.cursor, held)
        return _about(started, links, stream)

    async def _whole_run(self, request: HttpRequest) -> HttpResponseBase:
        caller = caller_of(request)
        started = await self._start(request, caller, await body_of(request, Email))
        links = self._addresses.links(request, caller, started.run_id)
        return _about(started, links, json_response(await self._settled(started.run_id)))

    async def _settled(self, run_id: str) -> dict[str, Any]:
        """Wait for the run and give its whole state; what is still going on after two minutes is given as it is."""
        run, state = await self._runs.settled(run_id, WHOLE_SECONDS)
        seconds = round(state["timings"].get("total", 0.0) / 1000, 3)
        return {"status": state["status"] or run.state, "run_id": run_id, "data": state, "processing_time": seconds}

    async def _whole_batch(self, request: HttpRequest, given: Batch) -> HttpResponse:
        started = await self._start_all(request, given)
        results = await asyncio.gather(*(self._settled(one.run_id) for one in started))
        return json_response({"status": "complete", "results": results})

    async def _start_all(self, request: HttpRequest, given: Batch) -> list[Started]:
        self._live.raise_when_draining()
        return await self._runs.start_all(given.emails, caller_of(request), key=idempotency_key_of(request))

    async def _stream_batch(self, request: HttpRequest, given: Batch) -> HttpResponseBase:
        caller = caller_of(request)
        stack, connection = await self._connect("ndjson", caller)
        try:
            started = await self._start_all(request, given)
        except BaseException:
            stack.close()
            raise

        async def lines() -> AsyncIterator[str]:
            with stack:
                yield ndjson.opening(_established(connection))
                for index, one in enumerate(started):
                    yield frame("accepted", {"index": index, "run_id": one.run_id}) + "\n"
                async with aclosing(self._interleaved([one.run_id for one in started])) as pieces:
                    async for piece in pieces:
                        yield piece

        return Stream(lines(), ndjson.CONTENT_TYPE, stack)

    async def _interleaved(self, run_ids: Sequence[str]) -> AsyncGenerator[str, None]:
        """The lines of all runs as they come, and counts of how they ended as the last line."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=64)
        ended: dict[str, int] = {}

        async def tell(run_id: str) -> None:
            last = "cut"
            try:
                async for items in self._runs.log.follow(run_id, until_settled=True, seconds=STREAM_SECONDS):
                    last = items[-1].type if items else last
                    await queue.put(ndjson.encode(items))
            finally:  # whatever happens to one run, the others' lines and the last one come
                name = last if last in SETTLING else "cut"
                ended[name] = ended.get(name, 0) + 1
                await queue.put(None)

        tasks = [asyncio.create_task(tell(run_id)) for run_id in dict.fromkeys(run_ids)]
        try:
            left = len(tasks)
            while left:
                if (piece := await queue.get()) is None:
                    left -= 1
                else:
                    yield piece
            yield dumps({"type": "batch_complete", "total": len(tasks), **ended}) + "\n"
        finally:
            for task in tasks:
                task.cancel()

    # ------------------------------------------------------------ reading

    @endpoint("GET")
    async def run(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        caller = caller_of(request)
        await self._runs.visible(run_id, caller)
        _, state = await self._runs.log.snapshot(run_id)
        return json_response(state | {"links": self._addresses.links(request, caller, run_id)})

    @endpoint("GET")
    async def mail(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        """The mail's canonical text, which the offsets of evidence point into (in Unicode code points)."""
        run = await self._runs.visible(run_id, caller_of(request))
        letter = await self._runs.letter(run)
        files = [{"filename": file.filename, "is_inline": file.is_inline} for file in letter.files]
        return json_response({"sources": letter.sources, "attachments": files})

    @endpoint("GET")
    async def events(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        """The log from a cursor, in the form that `Accept` asks for."""
        caller = caller_of(request)
        run = await self._runs.visible(run_id, caller)
        cursor = Cursor.parse(request.headers.get("Last-Event-ID") or request.GET.get("after"))
        accept = request.headers.get("Accept", "*/*")
        if "text/event-stream" in accept:
            if _is_at_the_end(run, cursor):
                return HttpResponse(status=204)
            return await self._stream(request, sse, caller, run_id, cursor)
        if "application/x-ndjson" in accept:
            if _is_at_the_end(run, cursor):
                return HttpResponse(content_type=ndjson.CONTENT_TYPE)
            return await self._stream(request, ndjson, caller, run_id, cursor)
        if "application/json" in accept or "*/*" in accept:
            return await self._page(request, caller, run_id, cursor)
        raise Problem(406, "not_acceptable", "Accept text/event-stream, application/x-ndjson or application/json.")

    @endpoint("POST")
    async def subscribe(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        """Push the run to the caller's connections at Azure, too. What it has told so far is read as ever."""
        caller = caller_of(request)
        run = await self._runs.visible(run_id, caller)
        if self._signalr is None:
            raise Problem(409, "no_azure_signalr", "Azure SignalR is not configured: subscribe on the socket.")
        try:
            await self._signalr.add_user(group_of(run_id), user_of(caller))
        except ServiceAway:
            raise not_now() from None
        return json_response({"run_id": run_id, "cursor": str(Cursor(run.epoch, run.last_sequence))}, 202)

    async def _page(self, request: HttpRequest, caller: Caller, run_id: str, cursor: Cursor | None) -> HttpResponseBase:
        wait = _seconds(request.GET.get("wait", "0"))
        first: Sequence[Item] = ()
        follow = self._runs.log.follow(run_id, cursor, keepalive=max(wait, 0.001), seconds=max(wait, 1.0))
        async with aclosing(follow) as items:
            async for first in items:  # noqa: B007  (used below; `anext` with a default fails on 3.11)
                break
        after = first[0].cursor if first and isinstance(first[0], Reset) else cursor
        # Read once more: a page's row is never newer than its entries, so that `state` is not ahead of the events.
        page = await self._runs.log.read(run_id, after.sequence if after else 0)
        told: list[Item] = [*(item for item in first[:1] if isinstance(item, Reset)), *page.entries]
        at = told[-1].cursor if told else cursor or Cursor(page.run.epoch, 0)
        return HttpResponse(
            polling.encode(page.run, self._with_links(request, caller, told), at, _is_at_the_end(page.run, at)),
            content_type=polling.CONTENT_TYPE,
            headers={"Cache-Control": "no-store"},
        )

    async def _stream(
        self,
        request: HttpRequest,
        transport: ModuleType,
        caller: Caller,
        run_id: str,
        cursor: Cursor | None,
        held: tuple[ExitStack, Connection] | None = None,
    ) -> HttpResponseBase:
        """A stream of one run's log until it settles, for three minutes at most."""
        stack, connection = held or await self._connect(transport.__name__.rpartition(".")[2], caller)
        connection.begin(run_id, cursor.sequence if cursor else 0)

        async def pieces() -> AsyncIterator[str]:
            with stack:
                yield transport.opening(_established(connection))
                follow = self._runs.log.follow(run_id, cursor, until_settled=True, seconds=STREAM_SECONDS)
                try:
                    async with aclosing(follow) as items:
                        async for arrived in items:
                            yield transport.encode(self._with_links(request, caller, arrived))
                except Unopened as error:
                    logger.error("mail_sealed", run_id=run_id, key=error.key_id)
                    yield transport.refusal(frame("error", sealed_data(error, run_id)))

        return Stream(pieces(), transport.CONTENT_TYPE, stack)

    async def _connect(self, transport: str, caller: Caller) -> tuple[ExitStack, Connection]:
        """Counted from the answer's first byte, so that a refusal still has its status."""
        return await self._live.connect(transport, caller)

    def _with_links(self, request: HttpRequest, caller: Caller, items: Sequence[Item]) -> Sequence[Item]:
        if items and isinstance(items[0], Reset):
            reset = items[0]
            return [reset.with_links(self._addresses.links(request, caller, reset.run_id)), *items[1:]]
        return items

    # ------------------------------------------------------------ changing

    @endpoint("POST")
    async def save(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        caller = caller_of(request)
        given = await body_of(request, Save, empty=True)
        state = await self._runs.save(run_id, caller, given.corrections)
        return json_response({"run_id": run_id, "state": state}, 202)

    @endpoint("POST")
    async def cancel(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        state = await self._runs.cancel(run_id, caller_of(request))
        return json_response({"run_id": run_id, "state": state}, 202)

    @endpoint("POST")
    async def retry(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        state = await self._runs.retry(run_id, caller_of(request))
        return json_response({"run_id": run_id, "state": state}, 202)

    @endpoint("POST")
    async def undo(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        state = await self._runs.undo(run_id, caller_of(request))
        return json_response({"run_id": run_id, "state": state}, 202)

    @endpoint("GET", "POST")
    async def followup(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        """What may be added to the saved firm; a POST adds what was approved of it."""
        caller = caller_of(request)
        if request.method == "POST":
            state = await self._runs.follow_up(run_id, caller, await body_of(request, FollowUp))
            return json_response({"run_id": run_id, "state": state}, 202)
        run = await self._runs.visible(run_id, caller)
        return json_response({"run_id": run_id, "company": await self._runs.followup(run)})

    @endpoint("POST")
    async def rerun(self, request: HttpRequest, run_id: str) -> HttpResponseBase:
        caller = caller_of(request)
        started = await self._runs.rerun(run_id, caller, await body_of(request, RerunRequest, empty=True))
        links = self._addresses.links(request, caller, started.run_id)
        data = {"run_id": started.run_id, "cursor": str(started.cursor), "links": links}
        return _about(started, links, json_response(data, 202))


# ---------------------------------------------------------------- requests and answers


def _is_batch(content: bytes) -> bool:
    if b'"emails"' not in content:  # parsing a large mail only to know this would double its cost
        return False
    try:
        given = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(given, dict) and "emails" in given


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= MOST_WAIT_SECONDS:
        raise Problem(422, "bad_wait", "wait is a number of seconds from 0 to 25.")
    return seconds


def _is_at_the_end(run: Run, cursor: Cursor | None) -> bool:
    return run.closed and cursor is not None and cursor == Cursor(run.epoch, run.last_sequence)


def _established(connection: Connection) -> str:
    from time import time

    data = {"connection_id": connection.id, "protocol": connection.transport, "server_time": round(time(), 3)}
    return frame("connection_established", data)


def _about(started: Started, links: dict[str, str], response: HttpResponseBase) -> HttpResponseBase:
    response.headers["X-Run-Id"] = started.run_id
    response.headers["Location"] = links["self"] if response.status_code == 202 else links["events"].partition("?")[0]
    if started.replay:
        response.headers["X-Idempotent-Replay"] = "true"
    return response


class Stream(StreamingHttpResponse):
    """A stream that leaves `held` when it ends, also when its client went away before the first byte."""

    def __init__(self, pieces: AsyncIterator[str], content_type: str, held: ExitStack) -> None:
        super().__init__(pieces, content_type=content_type)
        self._held = held
        self.headers["Cache-Control"] = "no-store, no-transform"
        self.headers["X-Accel-Buffering"] = "no"
        # Makes Django's GZipMiddleware keep off: it would compress each event by itself, and Chromium reads only one.
        self.headers["Content-Encoding"] = "identity"

    def close(self) -> None:
        super().close()
        self._held.close()
