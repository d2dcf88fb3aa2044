"""Nearly the same words: for free text that a model writes close to the wording of the line it points at."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from rapidfuzz import fuzz

from extraction.folding import fold, folded
from extraction.types import EvidenceStatus

LIKE, LIKE_NAMES = 88, 100  # of 100
_WORD = re.compile(r"\w+")
_MAX = 2_500  # characters: a line of the mail and its neighbours
_MAX_WORDS = 40
_SLACK = 30  # characters between the words beyond those of the value itself


def alike(text: str, value: str, is_name: bool) -> Iterator[tuple[int, int, EvidenceStatus]]:
    """The stretch that says nearly the same: one that is spelled alike, else one that holds all the value's words.
    Another spelling of a name is another name."""
    plain, places = folded(text[:_MAX])
    wanted = fold(value)
    found = (
        _gathered(plain, wanted, LIKE_NAMES) if is_name else _aligned(plain, wanted) or _gathered(plain, wanted, LIKE)
    )
    if found:
        yield places[found[0]], places[found[1] - 1] + 1, "derived"


def _aligned(text: str, value: str) -> tuple[int, int] | None:
    """The most similar stretch, snapped to whole words; figures must be the same."""
    alignment = fuzz.partial_ratio_alignment(value, text, score_cutoff=LIKE) if len(value) <= len(text) else None
    if alignment is None:
        return None
    words = [
        match
        for match in _WORD.finditer(text)
        if alignment.dest_start < match.end() and match.start() < alignment.dest_end
    ]
    if not words:
        return None
    start, end = words[0].start(), words[-1].end()
    if fuzz.ratio(value, text[start:end]) < LIKE or _figures(value) != _figures(text[start:end]):
        return None
    return start, end


def _gathered(text: str, value: str, like: int) -> tuple[int, int] | None:
    """The first window that holds every word of the value, in whatever order, with little between them."""
    wanted = Counter(islice((match[0] for match in _WORD.finditer(value)), _MAX_WORDS))
    if sum(wanted.values()) < 2:
        return None
    heard = [(found.span(), word) for found in _WORD.finditer(text) if (word := _like(found[0], wanted, like))]
    missing, left = Counter(wanted), 0
    for (_, end), word in heard:
        missing[word] -= 1
        while missing[heard[left][1]] < 0:  # said again further on: the window may begin later
            missing[heard[left][1]] += 1
            left += 1
        start = heard[left][0][0]
        if max(missing.values()) <= 0 and end - start <= len(value) + _SLACK:
            return start, end
    return None


def _like(word: str, wanted: Counter[str], like: int) -> str | None:
    """The wanted word that this one is: the same, or another form of it. Figures have no other forms."""
    if word in wanted:
        return word
    if len(word) < 5 or not word.isalpha():
        return None
    return next((other for other in wanted if other.isalpha() and fuzz.ratio(word, other) >= like), None)


def _figures(text: str) -> list[str]:
    return re.findall(r"\d+", text)


_RETOLD = 0.7  # of a sentence's words
_LONG, _STEM = 4, 5  # letters: shorter words say nothing, words that begin alike are forms of one


def retold(texts: Iterable[str], summary: str) -> bool:
    """Whether a summary says nothing new: its figures, and of every sentence most words, are those of the texts."""
    words = {word for text in texts for word in _WORD.findall(fold(text))}
    stems = {word[:_STEM] for word in words}
    sentences = [_WORD.findall(sentence) for sentence in re.split(r"[.!?](?:\s|$)", fold(summary))]
    return all(_is_retold(sentence, words, stems) for sentence in sentences if sentence)


def _is_retold(sentence: list[str], words: set[str], stems: set[str]) -> bool:
    told = [word for word in sentence if len(word) >= _LONG and word.isalpha()]
    figures = (word for word in sentence if not word.isalpha())
    return all(figure in words for figure in figures) and sum(word[:_STEM] in stems for word in told) >= _RETOLD * len(
        told
    )
