"""How the patterns' time grows with the mail: `python -m bench.growth`.

Mails of 1 KB to 1 MB, each a candidate's words over as many quoted messages as make its size, as text and as HTML;
each is parsed and understood several times and the quickest counts. Work that grows linearly or slower shows a ratio of
at most the ratio of the sizes from one row to the next.
"""

import argparse
import time

from extraction.mime import letter_from
from extraction.patterns import understand
from extraction.types import Email, OwnFirm

SIZES = (1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000)
OWN = OwnFirm(domains=frozenset({"well.example"}))
SAID = """Hello,

my name is Miriam Calder. I am a Senior Wealth Advisor at Harbor & Pine Wealth in Portland, Oregon, with $212M under
management and 96 client families. I hold the Series 7 and 66 and am a CFP. I would like to be a Lead Advisor and could
start in early February. Please call 503-555-0142.

Miriam Calder
"""
ANSWERED = """
On Tue, Nov {day}, 2026 at 9:{minute:02} AM Dana Whitlock <dana@well.example> wrote:

> Thank you, Miriam. We spoke to {number} firms in Seattle, Washington this week, and one of them, Alder & Vale
> Advisors, asked for a book of ${number}M or more. Shall we talk on Thursday? My number is 206-555-0{number:03}.
>
> Dana
"""


def mail(size: int, kind: str) -> Email:
    pieces, length, number = [SAID], len(SAID), 100
    while length < size:
        pieces.append(ANSWERED.format(day=number % 28 + 1, minute=number % 60, number=number % 900 + 100))
        length += len(pieces[-1])
        number += 1
    body = "".join(pieces)[:size]
    if kind == "html":
        body = "<html><body>" + "".join(f"<p>{line}</p>" for line in body.split("\n")) + "</body></html>"
    return Email(sender_email="m.calder@gmail.com", sender_name="Miriam Calder", subject="A move", body=body[:999_000])


def seconds(email: Email, times: int) -> tuple[float, float]:
    """The quickest of so many: parsing, understanding."""
    parsing, understanding = [], []
    for _ in range(times):
        began = time.process_time()
        letter = letter_from(email)
        parsed = time.process_time()
        understand(letter, OWN)
        parsing.append(parsed - began)
        understanding.append(time.process_time() - parsed)
    return min(parsing), min(understanding)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    seconds(mail(1_000, "html"), 2)  # tables and the language model are loaded by the first mail
    print(f"{'':>6}{'bytes':>10}{'parse ms':>11}{'read ms':>10}{'ms per KB':>11}{'size ×':>9}{'time ×':>9}")
    for kind in ("text", "html"):
        before: tuple[int, float] | None = None
        for size in SIZES:
            email = mail(size, kind)
            parsing, understanding = seconds(email, times)
            length, total = len(email.body), parsing + understanding
            grown = f"{length / before[0]:>9.1f}{total / before[1]:>9.1f}" if before else ""
            row = f"{kind:>6}{length:>10}{parsing * 1000:>11.2f}{understanding * 1000:>10.2f}"
            print(f"{row}{total * 1_000_000 / length:>11.3f}{grown}")
            before = length, total


if __name__ == "__main__":
    main()
