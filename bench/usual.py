"""The usual design, as the baseline: the SDK's event objects, one frame per token, `json.dumps` for each.

Channels' consumer behind its router for the WebSocket, a `StreamingHttpResponse` behind Django's default middleware for
SSE, on the same server as ours. Nothing is stored and no field is found: it is spared what ours does.
`uvicorn bench.usual:application`
"""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-the-bench",
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpRequest, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from openai import AsyncOpenAI  # noqa: E402

client = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key="scripted-key")


async def envelopes(email: Any) -> AsyncIterator[str]:
    stream = await client.responses.create(model="scripted", input=json.dumps(email), stream=True)
    sequence = 0
    async for event in stream:
        if event.type == "response.output_text.delta":
            sequence += 1
            yield _envelope("extraction_token", sequence, event.delta)
    yield _envelope("complete", sequence + 1, "")


def _envelope(kind: str, sequence: int, token: str) -> str:
    return json.dumps({"type": kind, "sequence": sequence, "data": {"token": token}}, separators=(",", ":"))


class Consumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        async for envelope in envelopes(json.loads(text_data or "{}")):
            await self.send(text_data=envelope)


@csrf_exempt
async def events(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        async for envelope in envelopes(json.loads(request.body)):
            yield f"data: {envelope}\n\n"

    return StreamingHttpResponse(body(), content_type="text/event-stream")


urlpatterns = [path("events", events)]
application = ProtocolTypeRouter(
    {"http": get_asgi_application(), "websocket": URLRouter([path("socket", Consumer.as_asgi())])}
)
