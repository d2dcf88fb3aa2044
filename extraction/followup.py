"""Facts of the firm that came after the save: offered with their source, written only when the user approves them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from extraction.pipeline import with_facts
from extraction.records import missing_for
from extraction.types import Corrections, Extraction, Strict

Fact = Literal["website", "industry", "city", "state"]
MOST_LETTERS = 100


class FollowUp(Strict):
    """What the user approves of the first person's firm; it fills what is still empty in the CRM."""

    company: Annotated[dict[Fact, Annotated[str, Field(min_length=1, max_length=MOST_LETTERS)]], Field(min_length=1)]


def has_firm(final: Extraction, corrections: Corrections) -> bool:
    """Whether the first person, whose firm the facts are about, is saved with a firm."""
    first = next(iter(final.people), None)
    if first is None or corrections.for_person(first.index).skip or missing_for(first):
        return False
    return first.text("company", "company_name") is not None


def news_in(facts: Mapping[str, Any], final: Extraction) -> dict[Fact, str]:
    """What the facts say that nobody knew when the records were saved."""
    known, now = final.people[0], with_facts(final, dict(facts)).people[0]
    names: tuple[Fact, ...] = ("website", "industry", "city", "state")
    return {
        name: value
        for name in names
        if (value := now.text("company", name)) and not known.get("company", name) and len(value) <= MOST_LETTERS
    }
