"""All addresses of the application."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from streaming.urls import intake_routes, routes
from streaming.views import StreamingViews
from wellintake.addin import AddIn
from wellintake.documents import asyncapi_json, asyncapi_page
from wellintake.live_page import LivePage
from wellintake.operations import Operations
from wellintake.overview import Overview
from wellintake.pages import Demonstration, Pages
from wellintake.recorder import Recorder
from wellintake.wiring import parts

_parts = parts()
_operations = Operations(_parts)
_demonstration = Demonstration(_parts)
_pages = Pages(_parts, _demonstration)
_addin = AddIn(_parts.addresses, _demonstration, _parts.env.entra_sign_in)
_overview = Overview(_parts, _operations)
_parts.besides["history"] = _overview.keep_history
live_page = LivePage(_parts, _overview)

admin.site.site_header = "Well Intake"
admin.site.site_title = "Well Intake"
admin.site.index_title = "Operations"

handler400 = "wellintake.pages.bad_request"
handler404 = "wellintake.pages.not_found"
handler500 = "wellintake.pages.failed"

_streaming = StreamingViews(_parts.runs, _parts.live, _parts.addresses, _parts.azure.service if _parts.azure else None)
_upstream = _parts.azure.upstream if _parts.azure else None

urlpatterns = [
    path("", _pages.try_it),
    path("addin/", include(_addin.urls())),
    path("stream/health", _operations.health),
    path("stream/metrics", _operations.metrics),
    path("metrics", _operations.prometheus),
    path("stream/", include(routes(_streaming, _upstream))),
    path("intake/", include(intake_routes(_parts.runs, _parts.live, _parts.addresses))),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/events/", asyncapi_page, name="events"),
    path("api/events/asyncapi.json", asyncapi_json, name="asyncapi"),
    path("admin/live/", include(live_page.urls())),
    path("admin/runs/", include(Recorder(_parts).urls())),
    path("admin/zoho/connection/", include(_parts.zoho.pages.urls())),  # before the admin's own page there
    path("admin/zoho/fieldtarget/", include(_parts.zoho.check.urls())),
    *_parts.sign_in.urls(),
    path("admin/", admin.site.urls),
]
