"""The transports as clients use them: each gives a run's envelopes from a cursor until the stream ends.

`found` may be handed in: what has been read is in it, however the reading ends."""

import json

import httpx2
import websockets

PROTOCOL = "wellintake.v1"


async def by_sse(server, run_id, after=None, stop_after=None, found=None):
    return await _by_stream(server, run_id, after, stop_after, "text/event-stream", _sse_events, found)


async def by_ndjson(server, run_id, after=None, stop_after=None, found=None):
    return await _by_stream(server, run_id, after, stop_after, "application/x-ndjson", _ndjson_events, found)


async def _by_stream(server, run_id, after, stop_after, accept, parse, found=None):
    found = [] if found is None else found
    async with server.client() as http:
        params = {"after": after} if after else {}
        address = f"/stream/runs/{run_id}/events"
        async with http.stream("GET", address, params=params, headers={"Accept": accept}) as response:
            if response.status_code == 204:
                return []
            response.raise_for_status()
            async for envelope in parse(response):
                found.append(envelope)
                if stop_after and len(found) >= stop_after:
                    break
    return found


async def _sse_events(response: httpx2.Response):
    """A plain reading of the standard: fields until a blank line; an event cut in the middle does not count."""
    event = {}
    async for line in response.aiter_lines():
        if not line:
            if "id" in event:
                envelope = json.loads(event["data"])
                assert event["id"] == envelope["cursor"]
                assert event["event"] == {"error": "run_error"}.get(envelope["type"], envelope["type"])
                yield envelope
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")


async def _ndjson_events(response: httpx2.Response):
    async for line in response.aiter_lines():
        envelope = json.loads(line)
        if envelope.get("sequence"):
            yield envelope


async def by_polling(server, run_id, after=None, stop_after=None, found=None):
    found = [] if found is None else found
    async with server.client() as http:
        while True:
            params = {"wait": 5} | ({"after": after} if after else {})
            answer = await http.get(f"/stream/runs/{run_id}/events", params=params)
            page = answer.raise_for_status().json()
            found += page["events"]
            after = page["cursor"]
            if stop_after and len(found) >= stop_after:
                return found[:stop_after]
            if page["closed"] or (page["events"] and page["events"][-1]["type"] in ("review_ready", "error")):
                return found


async def by_websocket(server, run_id, after=None, stop_after=None, found=None):
    found = [] if found is None else found
    async with connected(server) as socket:
        await socket.send(json.dumps({"type": "subscribe", "run_id": run_id, "after": after}))
        async for text in socket:
            envelope = json.loads(text)
            if envelope["sequence"]:
                found.append(envelope)
                if envelope["type"] in ("complete", "error", "cancelled", "review_ready"):
                    return found
                if stop_after and len(found) >= stop_after:
                    return found
    return found


TRANSPORTS = {"sse": by_sse, "ndjson": by_ndjson, "polling": by_polling, "websocket": by_websocket}


def ticket(server, **headers) -> str:
    from wellintake.tests.server import KEY

    answer = httpx2.get(f"{server.url}/stream/negotiate", headers={"X-API-Key": KEY} | headers)
    return answer.raise_for_status().json()["accessToken"]


def connected(server, **given):
    """A socket with a ticket of its own."""
    address = given.pop("address", f"ws://127.0.0.1:{server.port}/stream/ws/email-processing")
    given.setdefault("subprotocols", [PROTOCOL, f"ticket.{ticket(server)}"])
    return websockets.connect(address, max_size=None, max_queue=None, proxy=None, **given)


async def received(socket, kind):
    """The data of the next frame of that type."""
    async for text in socket:
        envelope = json.loads(text)
        if envelope["type"] == kind:
            return envelope["data"]
    raise AssertionError(f"closed with {socket.close_code} before {kind}")
