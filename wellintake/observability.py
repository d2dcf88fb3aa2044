"""Logging: one structured line an event, for people or for machines. Nobody logs mail text, tokens or addresses."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import structlog

# Servers log paths with their query: tickets, run tokens and OAuth codes must not stay readable there, nor any token.
_TOKEN = re.compile(r"((?:access_token|token|key|code|state)=)[^&\s\"]+|\beyJ[\w-]+\.[\w-]+\.[\w-]+", re.IGNORECASE)
FRAMES = 6  # of a traceback


# What every line carries, ours and those of libraries.
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def formatter(form: str) -> logging.Formatter:
    """`form` is console or json. The last word on every line, whoever writes it."""
    last = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED, processors=[remove_meta, _without_words_of_errors, _without_tokens, last]
    )


def configure_logging(config: dict[str, str]) -> None:
    """Django's `LOGGING_CONFIG`: `{"level", "format": console|json}`; standard library loggers go the same way."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(config["level"])),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(config["format"]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config["level"])
    # Both bring handlers of their own, past our redaction: uvicorn's lines name a socket's address with its ticket,
    # Django's tell tracebacks.
    for own in ("uvicorn", "uvicorn.error", "uvicorn.access", "django", "django.server"):
        if logging.getLogger(own).handlers:  # --no-access-log has none, and stays silent
            logging.getLogger(own).handlers = []
            logging.getLogger(own).propagate = True
    # Clients' libraries tell addresses and bodies at these levels; Docket a line for every job.
    for noisy in ("httpx2", "httpcore2", "openai", "docket", "asyncio", "daphne.ws_protocol", "daphne.http_protocol"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("django.channels.server").setLevel(logging.WARNING)


def _without_words_of_errors(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception's text may quote a mail: of it stays what kind it is, and the way to where it was raised. Servers
    and Django log exceptions of their own accord, some with the text in the line as well."""
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else sys.exc_info()[1]
    event.pop("exception", None)
    if not given or error is None:
        return event
    for words in _words_of(error):
        event["event"] = str(event.get("event", "")).replace(words, "…")
    told = [f"{type(one).__qualname__} at {_way_to(one)}" for one in _with_causes(error)]
    return {**event, "error": " because of ".join(told)}


def _words_of(error: BaseException) -> Iterator[str]:
    """Whatever of an exception a line may hold, the longest first: its text, the lines of it, what it was made of, each
    as it is and as `repr` spells it (asyncio tells of tasks that way)."""
    said = {
        part
        for one in _with_causes(error)
        for text in (str(one), *(given for given in one.args if isinstance(given, str)))
        for part in (text, *text.split("\n"))
    }
    yield from sorted(
        {spelt for part in said if len(part.strip()) > 2 for spelt in (part, repr(part)[1:-1])}, key=len, reverse=True
    )


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """It, what was wrapped in it, and what it was raised from, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        if (one := waiting.pop(0)) is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*getattr(one, "exceptions", ()), one.__cause__ or one.__context__]


def _way_to(error: BaseException) -> str:
    """The innermost frames, without their source lines."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _without_tokens(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _TOKEN.sub(_hidden, value) if isinstance(value, str) else value for key, value in event.items()}


def _hidden(token: re.Match[str]) -> str:
    return f"{token[1] or ''}…"
