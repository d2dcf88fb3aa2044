"""A body is cut into messages with authors, and each message into text, signature and disclaimer."""

import pytest

from extraction.tests.letters import letter


def cut(body, subject="Hello"):
    read = letter(body, subject=subject)
    return [
        (part.kind, part.author.email if part.author else None, read.text(part).strip())
        for part in read.segments
        if part.source == "body"
    ]


OUTLOOK = (
    "From: Ann Bee <ann@firm.example>\nSent: Monday, November 2, 2026 8:41 PM\nTo: Dana "
    "<dana@well.example>\nSubject: x\n\nold words"
)


@pytest.mark.parametrize(("subject", "kind"), [("FW: x", "forwarded"), ("RE: x", "quoted"), ("Tr : x", "forwarded")])
def test_an_outlook_block_is_a_forward_only_when_the_subject_says_so(subject, kind):
    assert cut("new words\n\n" + OUTLOOK, subject) == [
        ("new", "miriam.calder@gmail.com", "new words"),
        (kind, "ann@firm.example", "old words"),
    ]


@pytest.mark.parametrize(
    "introduction",
    [
        "On Mon, Nov 2, 2026 at 4:16 PM Ann Bee <ann@firm.example> wrote:",
        "On Mon, Nov 2, 2026 at 4:16 PM Ann Bee <\nann@firm.example> wrote:",
        "Am 14.10.2026 um 09:12 schrieb Ann Bee <ann@firm.example>:",
        "El lun, 2 nov 2026 a las 10:00, Ann Bee (<ann@firm.example>) escribió:",
        "Le lun. 2 nov. 2026 à 10:00, Ann Bee <ann@firm.example> a écrit :",
    ],
)
def test_replies_in_several_languages_quote_their_author(introduction):
    assert cut(f"new words\n\n{introduction}\n\n> old words") == [
        ("new", "miriam.calder@gmail.com", "new words"),
        ("quoted", "ann@firm.example", "old words"),
    ]


def test_an_answer_below_the_quote_belongs_to_the_writer_again():
    parts = cut("On Mon, Nov 2, 2026 at 4:16 PM Ann Bee <ann@firm.example> wrote:\n> old words\nmy answer")

    assert parts == [("quoted", "ann@firm.example", "old words"), ("new", "miriam.calder@gmail.com", "my answer")]


def test_a_forward_within_a_forward_keeps_both_authors():
    inner = OUTLOOK.replace("Ann Bee <ann@firm.example>", "Cy Dee <cy@firm.example>").replace("old", "oldest")

    assert [author for _, author, _ in cut(f"see below\n\n{OUTLOOK}\n\n{inner}", "FW: FW: x")] == [
        "miriam.calder@gmail.com",
        "ann@firm.example",
        "cy@firm.example",
    ]


@pytest.mark.parametrize("opening", ["-- \nMiriam Calder", "Warm regards,\nMiriam Calder", "Miriam Calder, CFP"])
def test_a_signature_begins_at_a_delimiter_a_closing_or_the_name(opening):
    kinds = [kind for kind, _, _ in cut(f"some words here\n\n{opening}\nAdvisor | Acme Wealth\n260-555-0142")]

    assert kinds == ["new", "signature"]


def test_a_disclaimer_is_a_part_of_its_own():
    parts = cut("some words\n\nMiriam Calder\n260-555-0142\nThis message is confidential and meant for the addressee.")

    assert [kind for kind, _, _ in parts] == ["new", "signature", "disclaimer"]
