"""The reader finds what json.loads finds, at once, whatever pieces the answer comes in."""

import json
import sys
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extraction import reader
from extraction.errors import ModelError
from extraction.reader import FieldReader, Found, MalformedAnswer

# NUL and lone surrogates have tests of their own: no database can hold them, so they are not given out as they come.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
keys = st.sampled_from(["full_name", "email", "phone", "licenses", "description_of_reqs", "clé", 'a"b'])
anchored = st.fixed_dictionaries({"value": texts, "line": st.integers(-5, 10**6)})
fields = st.one_of(
    st.none(),
    anchored,
    st.lists(anchored, max_size=3),
    texts,
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)
answers = st.fixed_dictionaries(
    {"intent": texts, "people": st.lists(st.dictionaries(keys, fields, max_size=5), max_size=3)}
)
layouts = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])


def expected(answer: dict[str, Any]) -> list[Found]:
    found: list[Found] = []
    for top, value in answer.items():
        if top == "people":
            found += [Found((top, at, key), field) for at, person in enumerate(value) for key, field in person.items()]
        else:
            found.append(Found((top,), value))
    return found


def read(pieces: list[str]) -> list[Found]:
    reader = FieldReader()
    found = [one for piece in pieces for one in reader.feed(piece)]
    reader.finish()
    return found


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@given(answers, layouts, st.lists(st.integers(0, 10**4), max_size=30))
def test_any_answer_in_any_pieces_gives_what_a_whole_parse_gives(answer, layout, places):
    text = json.dumps(answer, **layout)

    found = read(cut(text, places))

    assert found == expected(answer)


@given(answers, layouts)
def test_fed_one_character_at_a_time_it_finds_the_same(answer, layout):
    assert read(list(json.dumps(answer, **layout))) == expected(answer)


def test_each_field_is_told_at_the_character_that_closes_it():
    email = '{"value": "d@acme.example", "line": 3}'
    text = f'{{"intent": "none", "people": [{{"email": {email}, "phone": null, "licenses": []}}]}}'
    reader = FieldReader()

    told = {one.path[-1]: text[: at + 1] for at, char in enumerate(text) for one in reader.feed(char)}

    assert told["intent"].endswith('"none"')
    assert told["email"].endswith('"line": 3}')
    assert told["phone"].endswith("null")
    assert told["licenses"].endswith("[]")


@given(st.integers(1, 12))
def test_escapes_and_surrogate_pairs_may_be_cut_anywhere(size):
    text = r'{"intent":"\u00e9\ud83d\ude00\\\"\n\/","people":[]}'

    found = read([text[at : at + size] for at in range(0, len(text), size)])

    assert found == [Found(("intent",), 'é😀\\"\n/')]


@pytest.mark.parametrize(
    ("written", "kept"),
    [(r"a\u0000b", "ab"), (r"a\ud83db", "a\ufffdb"), ("\ud83d\ude00", "😀"), ("a\x7fé", "a\x7fé")],
)
def test_what_no_database_can_hold_is_not_given_out(written, kept):
    assert read([f'{{"intent":"{written}"}}']) == [Found(("intent",), kept)]


@given(answers, st.integers(0, 10**4))
def test_every_unclosed_answer_is_refused_at_the_end(answer, place):
    text = json.dumps(answer)
    reader = FieldReader()
    reader.feed(text[: place % len(text)])

    with pytest.raises(MalformedAnswer):
        reader.finish()


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, documents, max_size=3), st.integers(0, 400), st.sampled_from('{}[]:,"\\0-.e tn\x01x'))
def test_it_refuses_exactly_what_a_whole_parse_refuses(document, place, intruder):
    text = json.dumps(document)
    place %= len(text) + 1
    text = text[:place] + intruder + text[place + 1 :]
    try:
        well_formed = isinstance(json.loads(text), dict)
    except ValueError:
        well_formed = False

    try:
        read(list(text))
        accepted = True
    except MalformedAnswer:
        accepted = False

    assert accepted == well_formed


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '"text"',
        "null",
        "12",
        "",
        "{",
        "{}{}",
        "{} x",
        '{"a" 1}',
        '{"a":1,}',
        '{"a":[1,]}',
        '{"a":[1}',
        '{"a":{]}',
        "{,}",
        '{"a":01}',
        '{"a":1.}',
        '{"a":-}',
        '{"a":nul}',
        '{"a":nulll}',
        '{"a":NaN}',
        '{"a":"\n"}',
        '{"a":"\\x"}',
        '{"a":"\\u12"}',
        "{a:1}",
        '{"a"::1}',
        '{"a":1 "b":2}',
        "{1:2}",
        "```json\n{}",
        '{"a":' + "9" * 65 + "}",
    ],
)
def test_what_is_not_one_json_object_is_refused(text):
    with pytest.raises(ModelError):
        read([text])


def test_what_closed_before_a_mistake_is_given_out_before_the_refusal():
    reader = FieldReader()

    assert reader.feed('{"intent":"none", oops') == [Found(("intent",), "none")]
    with pytest.raises(MalformedAnswer):
        reader.feed("}")
    with pytest.raises(MalformedAnswer):
        reader.finish()


def test_the_refusal_quotes_nothing_of_the_answer():
    with pytest.raises(MalformedAnswer) as refusal:
        read([r'{"intent":"Dana Whitlock \x"}'])

    assert "Dana" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_depth_is_bounded():
    with pytest.raises(MalformedAnswer):
        read(['{"a":' + "[" * reader.MAX_DEPTH])


def test_size_is_bounded():
    unending = FieldReader()
    unending.feed('{"intent":"')
    for _ in range(reader.MAX_CHARACTERS // 1000 - 1):
        unending.feed("x" * 1000)

    with pytest.raises(MalformedAnswer):
        unending.feed("x" * 1000)


def steps_to_read(text: str) -> int:
    """How many lines of the reader run when the text comes one character at a time."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line" and frame.f_code.co_filename == reader.__file__
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read(list(text))
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("grow", [lambda n: ["x" * 10 * n], lambda n: ["word"] * n], ids=["one long value", "many"])
def test_an_answer_of_twice_the_length_takes_twice_the_steps(grow):
    def answer(size: int) -> str:
        return json.dumps({"people": [{"field": value} for value in grow(size)]})

    assert steps_to_read(answer(400)) < 2.1 * steps_to_read(answer(200))
