"""The addresses that are about runs: under `/stream/`, and the older ones under `/intake/`."""

from django.urls import URLPattern, path, register_converter

from streaming.addresses import Addresses
from streaming.azure.upstream import Upstream
from streaming.intake_legacy import IntakeEmailView, IntakeStatusView
from streaming.live import Live
from streaming.runs import Runs
from streaming.views import StreamingViews


class RunId:
    """A UUID in its canonical form; anything else is no run."""

    regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(RunId, "run")


def routes(views: StreamingViews, upstream: Upstream | None = None) -> list[URLPattern]:
    """`upstream` is where Azure SignalR posts what its clients say."""
    return [
        *([path("signalr/upstream", upstream.hear)] if upstream else []),
        path("negotiate", views.negotiate),
        path("sse/process-email", views.start_sse),
        path("batch/process-email", views.batch),
        path("runs", views.start),
        path("runs/<run:run_id>", views.run),
        path("runs/<run:run_id>/events", views.events),
        path("runs/<run:run_id>/mail", views.mail),
        path("runs/<run:run_id>/subscribe", views.subscribe),
        path("runs/<run:run_id>/save", views.save),
        path("runs/<run:run_id>/cancel", views.cancel),
        path("runs/<run:run_id>/retry", views.retry),
        path("runs/<run:run_id>/undo", views.undo),
        path("runs/<run:run_id>/followup", views.followup),
        path("runs/<run:run_id>/rerun", views.rerun),
    ]


def intake_routes(runs: Runs, live: Live, addresses: Addresses) -> list[URLPattern]:
    parts = {"runs": runs, "live": live, "addresses": addresses}
    return [
        path("email", IntakeEmailView.as_view(**parts)),
        path("email/status/<str:run_id>", IntakeStatusView.as_view(**parts)),
    ]
