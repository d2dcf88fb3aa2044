"""Outlook's `.msg` files as a message of the standard library, so that one reader serves both."""

from email.message import EmailMessage
from io import BytesIO

from oxmsg import Message as OutlookMessage

from extraction.errors import UnreadableMail

OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")  # Compound File Binary header ([MS-CFB] 2.2)


def message_from_msg(content: bytes) -> EmailMessage:
    """Raises `UnreadableMail` when the file is damaged."""
    try:
        return _converted(OutlookMessage.load(BytesIO(content)))
    # The parser follows offsets of the file itself; a damaged one fails in ways that only share being exceptions.
    except Exception as error:
        raise UnreadableMail("This Outlook file is damaged.") from error


def _converted(outlook: OutlookMessage) -> EmailMessage:
    message = EmailMessage()
    recipients = [f"{one.name} <{one.email_address}>" for one in outlook.recipients]
    headers = {name.lower(): value for name, value in outlook.message_headers.items()}
    for name, value in (
        ("From", headers.get("from") or outlook.sender),
        ("Reply-To", headers.get("reply-to")),
        ("To", headers.get("to") or ", ".join(recipients)),
        ("Cc", headers.get("cc")),
        ("Subject", outlook.subject),
        ("Message-ID", headers.get("message-id")),
        ("List-Unsubscribe", headers.get("list-unsubscribe")),
        ("Auto-Submitted", headers.get("auto-submitted")),
    ):
        if value:
            message[name] = " ".join(str(value).split())
    message.set_content(outlook.body or "")
    if outlook.html_body:
        message.add_alternative(outlook.html_body, subtype="html")
    for file in outlook.attachments:
        kind, _, subtype = (file.mime_type or "application/octet-stream").partition("/")
        message.add_attachment(file.file_bytes or b"", kind, subtype or "octet-stream", filename=file.file_name)
    return message
