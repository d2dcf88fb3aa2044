"""The ASGI application, the same under Daphne and uvicorn."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wellintake.settings")
django_application = get_asgi_application()  # before anything that imports a model

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from streaming.transports.hub import EmailHub  # noqa: E402
from streaming.transports.websocket import EmailProcessingConsumer  # noqa: E402
from wellintake.access.sockets import Doorkeeper  # noqa: E402
from wellintake.lifecycle import Lifecycle  # noqa: E402
from wellintake.live_page import LiveConsumer  # noqa: E402
from wellintake.urls import live_page  # noqa: E402
from wellintake.wiring import parts  # noqa: E402

_parts = parts()
_given = {"runs": _parts.runs, "live": _parts.live, "addresses": _parts.addresses}
_live = AuthMiddlewareStack(LiveConsumer.as_asgi(page=live_page))
socket_routes = [
    path("stream/ws/email-processing", EmailProcessingConsumer.as_asgi(**_given)),
    path("stream", EmailHub.as_asgi(**_given)),
    path("admin/live/socket", _live),
]
_sockets = Doorkeeper(URLRouter(socket_routes), _parts.door, _parts.origins, _parts.proxies)

application = Lifecycle({"http": django_application, "websocket": _sockets}, _parts)
