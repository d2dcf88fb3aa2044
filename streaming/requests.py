"""What all HTTP calls share: who calls, what the call says, how it is refused."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError

from extraction.seal import Unopened
from streaming.bugs import place_of
from streaming.callers import Caller
from streaming.parsing import parsed
from streaming.problems import Problem, mail_sealed, method_not_allowed, not_signed_in, problem_from
from streaming.responses import problem_response
from streaming.wire import BadCursor

Model = TypeVar("Model", bound=BaseModel)
View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]

logger = structlog.get_logger()


def endpoint(*methods: str) -> Callable[[View], View]:
    """A view of these methods whose refusals become problem documents, and whose bugs say nothing of themselves."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        async def answer(self: Any, request: HttpRequest, **given: Any) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    raise method_not_allowed(*methods)
                return await view(self, request, **given)
            except Exception as error:  # noqa: BLE001
                return refusal_of(request, error, view.__name__)

        return answer

    return decorate


def refusal_of(request: HttpRequest, error: Exception, view: str) -> HttpResponse:
    """The answer to a call that ended in an error; what is not ours is a bug."""
    match error:
        case Problem():
            return problem_response(request, error)
        case BadCursor():
            detail = "A cursor has the form <epoch>.<sequence>."
            return problem_response(request, Problem(400, "bad_cursor", detail))
        case Unopened():
            logger.error("mail_sealed", view=view, key=error.key_id)
            return problem_response(request, mail_sealed(error))
    logger.error("view_failed", view=view, kind=type(error).__name__, where=place_of(error))
    return problem_response(request, Problem(500, "internal", "Something went wrong on our side; please try again."))


def caller_of(request: HttpRequest) -> Caller:
    caller: Caller | None = getattr(request, "caller", None)
    if caller is None:
        raise not_signed_in()
    return caller


def content_of(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig:
        raise Problem(413, "request_too_large", "The request is over 20 MB.") from None


async def body_of(request: HttpRequest, model: type[Model], *, empty: bool = False) -> Model:
    """The request's JSON as a model; `empty` allows no body at all. Raises `Problem`."""
    body = content_of(request)
    if empty and not body.strip():
        return model()
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type", "Send application/json.")
    try:
        return await parsed(model.model_validate_json, body)
    except ValidationError as error:  # here alone: what does not fit anywhere else is no fault of the caller's
        raise problem_from(error) from None


def idempotency_key_of(request: HttpRequest) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key and len(key) > 200:
        raise Problem(422, "bad_idempotency_key", "An Idempotency-Key has at most 200 characters.")
    return key or None
