"""JSON of clients, parsed where it holds nobody up."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Content = TypeVar("Content", bound=str | bytes)
T = TypeVar("T")

SMALL = 100_000  # characters that are parsed sooner than a thread is reached


async def parsed(parse: Callable[[Content], T], content: Content) -> T:
    """What `parse` makes of the content; off the event loop when there is much of it."""
    return parse(content) if len(content) < SMALL else await asyncio.to_thread(parse, content)
