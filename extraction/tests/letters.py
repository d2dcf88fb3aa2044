"""Letters and labelled mails for the tests of the deterministic pass."""

import json
from pathlib import Path
from typing import Any

from extraction.letter import Letter
from extraction.mime import letter_from
from extraction.types import Email, OwnFirm, UserContext

MAILS = Path(__file__).parent / "mails"
TUNED = MAILS / "tuned"  # the patterns were written against them
HELD_OUT = MAILS / "held_out"  # and never against these: read their scores, not their words
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
OWN = OwnFirm(
    domains=frozenset({"well.example"}),
    names=frozenset({"The Well"}),
    user=UserContext(name="Dana Whitlock", email="dana@well.example"),
)


def letter(
    body: str,
    subject: str = "Hello",
    sender: str = "miriam.calder@gmail.com",
    name: str | None = "Miriam Calder",
    **more: Any,
) -> Letter:
    return letter_from(Email(sender_email=sender, sender_name=name, subject=subject, body=body, **more))


def labelled(folder: Path) -> list[tuple[dict[str, Any], bytes]]:
    """`(label, mail)` of every mail of a folder."""
    return [
        (json.loads(path.with_suffix(".json").read_text("utf-8")), path.read_bytes())
        for path in sorted(folder.glob("*.eml"))
    ]
