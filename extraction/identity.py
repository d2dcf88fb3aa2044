"""Which message a mail is, told apart before it is read as a whole."""

import re

from extraction.errors import UnreadableMail
from extraction.mime import letter_from, raw_bytes
from extraction.types import Email

_HEADER_BYTES = 65_536
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\r\n]{1,990}>)", re.IGNORECASE | re.MULTILINE)


def message_id_of(email: Email) -> str | None:
    """The Internet-Message-Id, given beside the mail or found in it."""
    if email.internet_message_id:
        return email.internet_message_id.strip() or None
    if email.raw_base64 is not None:
        try:
            return letter_from(email).message_id
        except UnreadableMail:
            return None
    if email.raw_email is not None:
        header = raw_bytes(email.raw_email[:_HEADER_BYTES]).replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        found = _MESSAGE_ID.search(header)
        return found[1].decode("latin-1") if found else None
    return None
