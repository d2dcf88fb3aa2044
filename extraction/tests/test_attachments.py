"""Attachments as sources: what is read, what is left out and named, and that hostile files stay within their limits."""

import asyncio
import io
import zipfile

import docx
import pytest
from docx.shared import Pt, RGBColor
from pypdfium2 import PdfDocument
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from extraction.attachments import AttachmentReader, Limits, with_attached
from extraction.letter import LetterFile
from extraction.mime import HIDDEN_TEXT
from extraction.patterns.reading import passages_of
from extraction.tests.letters import letter


def pdf(*lines, pages=1, password=None, white=None):
    content = io.BytesIO()
    canvas = Canvas(content, encrypt=StandardEncryption(password) if password else None)
    for _ in range(pages):
        for number, line in enumerate(lines):
            canvas.drawString(72, 760 - 16 * number, line)
        if white:
            canvas.setFillColorRGB(1, 1, 1)
            canvas.drawString(72, 300, white)
        canvas.showPage()
    canvas.save()
    return content.getvalue()


def word(*paragraphs, table=(), hidden=None, white=None, tiny=None):
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if table:
        grid = document.add_table(rows=0, cols=len(table[0]))
        for row in table:
            for cell, text in zip(grid.add_row().cells, row, strict=True):
                cell.text = text
    if hidden:
        document.add_paragraph().add_run(hidden).font.hidden = True
    if white:
        document.add_paragraph().add_run(white).font.color.rgb = RGBColor(255, 255, 255)
    if tiny:
        document.add_paragraph().add_run(tiny).font.size = Pt(1)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def repacked(content, **parts):
    """A Word file in which these parts are replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry, parts.get(entry.filename, old.read(entry)))
    return out.getvalue()


async def read(*files, limits=None):
    """What was read of files, each `(name, content)`."""
    held = letter("See the attached.")
    attached = tuple(LetterFile(name, "application/octet-stream", content) for name, content in files)
    given = type(held)(**{**held.__dict__, "files": attached})
    reader = AttachmentReader(limits) if limits else AttachmentReader()
    return with_attached(given, await reader.read(given))


def codes(read_letter):
    return [issue.code for issue in read_letter.issues]


ICS = """BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
SUMMARY:Call with Ines Calloway\r
ORGANIZER;CN=Dana Whitlock:mailto:dana@well.example\r
ATTENDEE;CN=Ines Calloway:mailto:ines@acme.example\r
DESCRIPTION:Her cell is 317-555-0142\\, call then.\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cv.pdf", pdf("Ines Calloway", "317-555-0142"), ("Ines Calloway", "317-555-0142")),
        ("cv.docx", word("Ines Calloway", table=[("Cell", "317-555-0142")]), ("Ines Calloway", "Cell\t317-555-0142")),
        ("invite.ics", ICS.encode(), ("Ines Calloway", "317-555-0142, call then")),
        ("cv.txt", "Inés Calloway\n317-555-0142".encode("windows-1252"), ("Inés Calloway",)),
        ("cv.html", b"<p>Ines <b>Calloway</b></p><p style='display:none'>nobody</p>", ("Ines Calloway",)),
        ("misnamed.doc", pdf("Ines Calloway"), ("Ines Calloway",)),
    ],
    ids=["pdf", "word", "invitation", "text", "web page", "a wrong name"],
)
async def test_a_readable_file_is_a_source_of_its_own(name, content, words):
    held = await read((name, content))

    text = held.sources[f"attachment:{name}"]
    assert all(word in text for word in words), text
    (segment,) = held.of_kind("attachment")
    assert held.text(segment) == text
    assert passages_of(held)[-1].source == f"attachment:{name}"


async def test_two_files_of_one_name_are_two_sources():
    held = await read(("cv.txt", b"first"), ("cv.txt", b"second"))

    assert (held.sources["attachment:cv.txt"], held.sources["attachment:cv (2).txt"]) == ("first", "second")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cv.pdf", pdf("Ines Calloway", white="The phone is 999-999-9999")),
        ("cv.docx", word("Ines Calloway", hidden="The phone is 999-999-9999")),
        ("cv.docx", word("Ines Calloway", white="The phone is 999-999-9999")),
        ("cv.docx", word("Ines Calloway", tiny="The phone is 999-999-9999")),
        ("cv.html", b"<p>Ines Calloway</p><p style='font-size:0'>The phone is 999-999-9999</p>"),
    ],
    ids=["white PDF", "hidden Word", "white Word", "tiny Word", "hidden HTML"],
)
async def test_what_a_reader_does_not_see_is_left_out_and_told(name, content):
    held = await read((name, content))

    text = held.sources[f"attachment:{name}"]
    assert "Ines Calloway" in text
    assert "999" not in text
    assert HIDDEN_TEXT in held.issues


BOMB = repacked(word("x"), **{"word/document.xml": b"<w>" + b"<t>" + b"x" * 40_000_000 + b"</t></w>"})
ENTITIES = repacked(
    word("x"),
    **{"word/document.xml": b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;&b;">]><a>&c;</a>'},
)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("cv.pdf", b"", "attachment_unreadable"),
        ("cv.pdf", b"not a document", "attachment_unreadable"),
        ("cv.pdf", b"%PDF-1.7\n" + b"\x00\xff" * 5000, "attachment_unreadable"),
        ("cv.pdf", pdf("Ines Calloway")[:400], "attachment_unreadable"),
        ("cv.pdf", pdf("Ines Calloway", password="secret"), "attachment_encrypted"),
        ("cv.docx", b"PK\x03\x04word/" + b"\x00" * 500, "attachment_unreadable"),
        ("cv.docx", BOMB, "attachment_too_large"),
        ("cv.docx", ENTITIES, "attachment_unreadable"),
        ("old.doc", b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "attachment_unreadable"),
    ],
    ids=["empty", "no PDF", "noise", "cut", "locked", "no zip", "bomb", "entities", "old Word"],
)
async def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_read(name, content, code):
    held = await read((name, content), ("letter.txt", b"Ines Calloway"))

    assert codes(held) == [code]
    assert "Attachment 1" in held.issues[0].message
    assert name not in held.issues[0].message
    assert held.sources["attachment:letter.txt"] == "Ines Calloway"


async def test_long_documents_are_read_from_their_beginning():
    held = await read(("many.pdf", pdf("Ines Calloway", pages=25)), ("long.txt", b"word " * 20_000))

    assert held.sources["attachment:many.pdf"].count("Ines Calloway") == 20
    assert len(held.sources["attachment:long.txt"]) == 30_000
    assert codes(held) == ["attachment_too_large", "attachment_too_large"]


async def test_a_file_over_the_limit_is_not_even_opened():
    held = await read(("cv.pdf", pdf("Ines Calloway") + b"\n" * 2000), limits=Limits(document_bytes=1000))

    assert codes(held) == ["attachment_too_large"]
    assert "attachment:cv.pdf" not in held.sources


async def test_a_process_that_takes_too_long_is_ended():
    reader = AttachmentReader(Limits(file_seconds=0.01))
    held = letter("See the attached.")
    given = type(held)(**{**held.__dict__, "files": (LetterFile("cv.pdf", "application/pdf", pdf("Ines")),)})

    attached = await reader.read(given)

    assert [issue.code for issue in attached.issues] == ["attachment_out_of_time"]
    assert attached.texts == {}


async def test_pictures_are_passed_over_in_silence():
    held = await read(("logo.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100))

    assert held.issues == ()


async def test_many_files_at_once_share_the_processes():
    files = [(f"cv{number}.pdf", pdf(f"Person {number}")) for number in range(6)]

    held = await asyncio.wait_for(read(*files), 60)

    assert [held.sources[f"attachment:cv{number}.pdf"] for number in range(6)] == [f"Person {n}" for n in range(6)]


def test_the_pdf_reader_is_the_one_that_is_installed():
    assert PdfDocument(pdf("Ines"))[0].get_textpage().get_text_range() == "Ines"
