"""Where in the mail a value stands: word for word, worded otherwise, or nearly so where the model points.

From sure to loose: quoted → normalised (case, accents, spaces, quote marks; numbers, states, licences in their other
spellings) → derived (nearly the same words, only at the line that the model names) → nowhere. Addresses and links are
never matched loosely. Everything is linear in the text.
"""

from collections.abc import Iterable, Iterator

from extraction.figures import Match
from extraction.letter import Letter
from extraction.likeness import alike
from extraction.types import Evidence
from extraction.wording import worded

_MAX = 200_000  # characters of one source
_NAMES = frozenset({"full_name", "referrer_name", "company_name", "event"})
_FREE = frozenset({"title", "target_title", "availability", "specializations"})

Stretch = tuple[str, int, int]


def find(letter: Letter, value: str, field: str, near: Stretch | None = None) -> Evidence | None:
    """The words a value rests on, None when the mail does not say it. `near` is looked at first."""
    return next(places(letter, value, field, near, sources(letter)), None)


def places(
    letter: Letter, value: str, field: str, near: Stretch | None, within: Iterable[Stretch]
) -> Iterator[Evidence]:
    """Everywhere the value stands, the best place first: at the place named, then in `within`, and last what is only
    like it at the place named."""
    value = value.strip()
    if not value:
        return
    for stretch in (*([near] if near else []), *within):
        yield from _evidence(letter, stretch, worded(_text(letter, stretch), value, field, stretch is near))
    if near and field in _NAMES | _FREE:
        yield from _evidence(letter, near, alike(_text(letter, near), value, field in _NAMES))


def sources(letter: Letter) -> Iterator[Stretch]:
    """Headers hold names and addresses, then the newest text; attachments last."""
    order: list[str] = [name for name in ("header", "subject", "body") if name in letter.sources]
    order += [name for name in letter.sources if name not in order]
    return ((name, 0, min(len(letter.sources[name]), _MAX)) for name in order)


def _text(letter: Letter, stretch: Stretch) -> str:
    source, start, end = stretch
    return letter.read.get(source, "")[max(start, 0) : end]


def _evidence(letter: Letter, stretch: Stretch, matches: Iterable[Match]) -> Iterator[Evidence]:
    source, offset = stretch[0], max(stretch[1], 0)
    for first, last, status in matches:
        start, end = offset + first, offset + last
        yield Evidence(source=source, start=start, end=end, quote=letter.sources[source][start:end], status=status)
