"""Logging: one structured line an event, for people or for machines. Nobody logs mail text, tokens or addresses."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Servers log paths with their query; a ticket, run token or OAuth code in it must not stay readable.
_TOKEN = re.compile(r"((?:access_token|token|key|code)=)[^&\s\"]+", re.IGNORECASE)


def configure_logging(config: dict[str, str]) -> None:
    """Django's `LOGGING_CONFIG`: `{"level", "format": console|json}`; standard library loggers go the same way."""
    last = (
        structlog.processors.JSONRenderer()
        if config["format"] == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(config["level"])),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_tokens, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config["level"])
    # uvicorn brings handlers of its own, past our redaction: its lines name a socket's address with its ticket.
    for own in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        if logging.getLogger(own).handlers:  # --no-access-log has none, and stays silent
            logging.getLogger(own).handlers = []
            logging.getLogger(own).propagate = True
    # Clients' libraries tell addresses and bodies at these levels; Docket a line for every job.
    for noisy in ("httpx2", "httpcore2", "openai", "docket", "asyncio", "daphne.ws_protocol", "daphne.http_protocol"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("django.channels.server").setLevel(logging.WARNING)


def _without_tokens(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _TOKEN.sub(r"\1…", value) if isinstance(value, str) else value for key, value in event.items()}
