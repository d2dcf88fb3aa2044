"""The process that reads documents of strangers: `python -m extraction.documents KIND SECONDS`, bytes in, JSON out.

It is started anew for each file, knows no secret, may open nothing and ends at its limits (see `__main__`). So it
imports nothing that it does not need: its start is most of what a usual file costs.
"""

from typing import NamedTuple

MAX_CHARACTERS = 30_000  # of one file


class Said(NamedTuple):
    """What a document says to its readers; `hidden` when it also holds words that they do not see, `cut` when it goes
    on behind what was read."""

    text: str
    hidden: bool = False
    cut: bool = False


class Refused(Exception):
    """The document is not read; `fault` says why (see `extraction.attachments.FAULTS`)."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault
