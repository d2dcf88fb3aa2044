"""Outlook's `.msg` files as a message of the standard library, so that one reader serves both."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from io import BytesIO
from typing import cast

from olefile import STGTY_STREAM, OleFileIO
from oxmsg import Message as OutlookMessage
from oxmsg.attachment import Attachment
from oxmsg.domain import constants
from oxmsg.properties import Properties
from oxmsg.storage import Storage
from oxmsg.util import lazyproperty

from extraction.errors import UnreadableMail
from extraction.rtf import RichText, unpacked
from extraction.text import decoded

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")  # Compound File Binary header ([MS-CFB] 2.2)
MAX_RTF = 2_000_000
EMBEDDED_HEADER = 24  # bytes before the properties of a message inside a message ([MS-OXMSG] 2.4.1.2)
EMBEDDED = "__substg1.0_3701000D"  # where an attachment holds a message instead of bytes

_PLAIN_TYPE = re.compile(r"(?!message/|multipart/)[\w.+-]{1,60}/[\w.+-]{1,80}")


def message_from_msg(content: bytes) -> EmailMessage:
    """Raises `UnreadableMail` when the file is damaged."""
    try:
        _refuse_overlaps(content)
        return _converted(OutlookMessage.load(BytesIO(content)))
    # The parser follows offsets of the file itself; a damaged one fails in ways that only share being exceptions.
    except Exception as error:
        raise UnreadableMail("This Outlook file is damaged.") from error


def _refuse_overlaps(content: bytes) -> None:
    """A thousand streams that share one stretch of the file would each be read into memory."""
    with OleFileIO(BytesIO(content)) as ole:
        streams = (entry for entry in ole.direntries if entry and entry.entry_type == STGTY_STREAM)
        if sum(stream.size for stream in streams) > len(content):
            raise ValueError("streams overlap")


class _Embedded(OutlookMessage):
    """A message that is an attachment of another one."""

    @lazyproperty
    def _properties(self) -> Properties:
        return Properties(self._storage, properties_header_offset=EMBEDDED_HEADER)


def _converted(outlook: OutlookMessage) -> EmailMessage:
    message = EmailMessage()
    recipients = [f"{one.name} <{one.email_address}>" for one in outlook.recipients]
    headers = {name.lower(): value for name, value in outlook.message_headers.items()}
    for name, value in (
        ("From", headers.get("from") or outlook.sender),
        ("Reply-To", headers.get("reply-to")),
        ("To", headers.get("to") or ", ".join(recipients)),
        ("Cc", headers.get("cc")),
        ("Date", headers.get("date") or (outlook.sent_date and format_datetime(outlook.sent_date))),
        ("Subject", outlook.subject),
        ("Message-ID", headers.get("message-id")),
        ("List-Unsubscribe", headers.get("list-unsubscribe")),
        ("Auto-Submitted", headers.get("auto-submitted")),
    ):
        if value:
            message[name] = " ".join(str(value).split())
    html = _html_of(outlook)
    message.set_content(outlook.body or ("" if html else _text_of_rtf(outlook)))
    if html:
        message.add_alternative(html, subtype="html")
    for file in outlook.attachments:
        _attach(message, file)
    return message


def _html_of(outlook: OutlookMessage) -> str | None:
    content = outlook.properties.binary_prop_value(constants.PID_HTML)
    return decoded(content, outlook.properties.body_encoding) if content else outlook.html_body


def _text_of_rtf(outlook: OutlookMessage) -> str:
    packed = outlook.properties.binary_prop_value(constants.PID_RTF_COMPRESSED)
    return RichText(unpacked(packed, MAX_RTF)).text if packed else ""


def _attach(message: EmailMessage, file: Attachment) -> None:
    for storage in cast(Storage, file._storage).storages:  # the only way in to what is no bytes
        if storage.name == EMBEDDED:
            message.add_attachment(_converted(_Embedded(storage)))
            return
    content, kind = file.file_bytes or b"", file.mime_type or ""
    if kind == "message/rfc822":
        message.add_attachment(message_from_bytes(content, policy=policy.default))
        return
    maintype, _, subtype = (kind if _PLAIN_TYPE.fullmatch(kind) else "application/octet-stream").partition("/")
    name = file.file_name or file.properties.str_prop_value(constants.PID_ATTACH_FILENAME)
    content_id = file.properties.str_prop_value(constants.PID_ATTACH_CONTENT_ID)
    message.add_attachment(content, maintype, subtype, filename=name, cid=f"<{content_id}>" if content_id else None)
