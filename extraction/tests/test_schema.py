"""The answer's schema keeps OpenAI's rules for strict schemas, so that no request is refused for it.

Rules: OpenAI's guide on structured outputs; limits of 2026-02 (5,000 properties, 10 levels, 120,000 characters of
names and enum values, 1,000 enum values).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from extraction.prompt import SCHEMA
from extraction.tests.scripted_openai import answer_for
from extraction.types import FIELDS, LISTS

ALLOWED = {"type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "$ref", "$defs"}
PERSON = SCHEMA["$defs"]["person"]["properties"]


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    for node in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from nodes(node)


def depth(schema: dict[str, Any]) -> int:
    if "$ref" in schema:
        return depth(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
    inner += [schema["items"]] if "items" in schema else []
    return (schema.get("type") in ("object", "array")) + max((depth(node) for node in inner), default=0)


def test_it_is_a_valid_schema_with_an_object_at_its_root():
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["type"] == "object"
    assert "anyOf" not in SCHEMA


def test_every_object_is_closed_and_requires_all_its_properties_in_their_order():
    objects = [node for node in nodes(SCHEMA) if node.get("type") == "object"]

    assert len(objects) == 3
    for node in objects:
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])


def test_no_keyword_is_used_that_strict_schemas_do_not_know():
    for node in nodes(SCHEMA):
        assert set(node) <= ALLOWED


def test_it_stays_far_within_the_limits():
    names = [name for node in nodes(SCHEMA) for name in [*node.get("properties", {}), *node.get("enum", [])]]

    assert len(names) < 100
    assert sum(map(len, names)) < 2000
    assert depth(SCHEMA) <= 5


def test_keys_come_in_the_order_in_which_a_reader_wants_them():
    assert list(PERSON)[:5] == ["role", "full_name", "email", "phone", "title"]
    assert list(PERSON)[-1] == "description_of_reqs"


def test_every_key_is_a_field_that_we_know():
    known = {field for fields in FIELDS.values() for field in fields}

    assert set(PERSON) - known == {"role"}
    assert {key for key, kind in PERSON.items() if kind.get("type") == "array"} == LISTS


@pytest.mark.parametrize("answer", [answer_for([]), answer_for([{}]), answer_for([{"email": "d@acme.example"}] * 3)])
def test_an_honest_answer_fits(answer):
    Draft202012Validator(SCHEMA).validate(json.loads(answer))


def test_an_answer_with_a_key_of_its_own_does_not_fit():
    answer = json.loads(answer_for([{}]))
    answer["people"][0]["salary"] = None

    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(answer)


def test_the_file_reads_like_one():
    text = Path(__file__).parents[1].joinpath("schema.json").read_text("utf-8")

    assert json.loads(text) == SCHEMA
    assert text.endswith("}\n")
