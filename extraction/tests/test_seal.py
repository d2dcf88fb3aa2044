"""Values at rest: sealed with the first key, opened with any, and never taken for one another."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from extraction.seal import MARK, PLAIN, Seal, Unopened, key_bytes

OLD, NEW = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
PLACE = "table.column"


@settings(derandomize=True, deadline=None, max_examples=50)
@given(some.binary() | some.binary().map(MARK.__add__) | some.binary().map(PLAIN.__add__), some.booleans())
def test_whatever_is_sealed_opens_to_the_same(plain, with_key):
    seal = Seal([OLD] if with_key else [])
    assert seal.open(seal.seal(plain, PLACE), PLACE) == plain
    assert Seal([NEW, OLD]).open(seal.seal(plain, PLACE), PLACE) == plain


@settings(derandomize=True, deadline=None, max_examples=50)
@given(some.text() | some.text().map(f"{MARK.decode()}{{}}".format))
def test_the_same_of_text(text):
    for seal in (Seal([OLD]), Seal([])):
        assert seal.open_text(seal.seal_text(text, PLACE), PLACE) == text


def test_the_same_words_are_never_sealed_the_same():
    seal = Seal([OLD])
    assert len({seal.seal_text("jane", PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: kept[:-1],
        lambda kept: kept[:25],
        lambda kept: kept[:17],
        lambda kept: kept[:-4] + "AAAA",
        lambda kept: kept.replace(":1:", ":1:x", 1),
        lambda kept: kept + "ä",
    ],
)
def test_what_was_changed_is_refused(spoil):
    with pytest.raises(Unopened):
        Seal([OLD]).open_text(spoil(Seal([OLD]).seal_text("my plan to leave", PLACE)), PLACE)


def test_another_key_and_another_column_open_nothing_and_the_key_is_named():
    kept = Seal([OLD]).seal_text("my plan to leave", PLACE)
    with pytest.raises(Unopened) as lost:
        Seal([NEW]).open_text(kept, PLACE)
    assert lost.value.key_id == Seal([OLD]).newest
    assert "plan" not in str(lost.value)
    with pytest.raises(Unopened):
        Seal([OLD]).open_text(kept, "table.other")


@pytest.mark.parametrize("key", ["", "short", base64.urlsafe_b64encode(b"1" * 31).decode(), "ä" * 43, "!" * 44])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(ValueError):
        key_bytes(key)
