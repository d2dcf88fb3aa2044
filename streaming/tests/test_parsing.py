"""A large request is one client's business: meanwhile the loop serves the others."""

import asyncio
import base64
import json

import pytest
from pydantic import ValidationError

from extraction.types import Email
from streaming.parsing import SMALL, parsed

FILE = {"filename": "a.pdf", "content_base64": base64.b64encode(bytes(range(256)) * 40_000).decode()}
LARGE = json.dumps({"sender_email": "a@b.example", "subject": "s", "body": "x", "attachments": [FILE]}).encode()


async def test_the_loop_goes_on_while_a_large_mail_is_validated():
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    before = beats
    email = await parsed(Email.model_validate_json, LARGE)
    beating.cancel()

    assert beats - before > 10
    assert email.attachments[0].size() == 256 * 40_000


async def test_a_small_one_is_not_worth_a_thread():
    import threading

    seen = [await parsed(lambda text: threading.get_ident(), "x" * size) for size in (SMALL - 1, SMALL)]

    assert seen[0] == threading.get_ident() != seen[1]


@pytest.mark.parametrize("at", [0, 65_535, 65_536, 100_000, -3])
@pytest.mark.parametrize("stray", ["?", "=", "é"])
def test_what_is_not_base64_is_found_wherever_it_stands(at, stray):
    content = list(FILE["content_base64"])
    content[at] = stray

    with pytest.raises(ValidationError, match="is not Base64"):
        Email.model_validate({"raw_base64": "".join(content)})


@pytest.mark.parametrize("content", ["QQ", "QQ=", "QQ==QQ==", "QQ=A", "Q"])
def test_padding_stands_only_at_the_end(content):
    with pytest.raises(ValidationError, match="is not Base64"):
        Email.model_validate({"raw_base64": content})
