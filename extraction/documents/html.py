"""A web page, handed over as UTF-8."""

from extraction.documents import MAX_CHARACTERS, Said
from extraction.html import text_from


def read(content: bytes) -> Said:
    visible = text_from(content.decode())
    return Said(visible.text[:MAX_CHARACTERS], visible.hidden, len(visible.text) > MAX_CHARACTERS)
