"""A Rich Text document."""

from extraction.documents import MAX_CHARACTERS, Said
from extraction.rtf import RichText


def read(content: bytes) -> Said:
    rich = RichText(content)
    return Said(rich.text[:MAX_CHARACTERS], rich.hidden, len(rich.text) > MAX_CHARACTERS)
