"""The advisor's figures as a readable block for the deal and the note."""

from extraction.confidence import FILLED
from extraction.types import METRICS, Person

MAX_DESCRIPTION = 2000
_NAMES = {
    "aum": "AUM",
    "production": "Production",
    "client_count": "Clients",
    "licenses": "Licenses",
    "designations": "Designations",
    "years_experience": "Years of experience",
    "compensation": "Compensation sought",
    "availability": "Availability",
    "book_transferable": "Transferable book",
    "specializations": "Specializations",
}


def description_of(person: Person) -> str | None:
    """One line a figure, in the order of `METRICS`, ≤ 2000 characters; None when nothing is known."""
    lines = []
    for field in METRICS:
        found = person.get("deal", field)
        if found and found.value and (found.confidence >= FILLED or found.origin == "user"):
            text = found.value if isinstance(found.value, str) else ", ".join(found.value)
            lines.append(f"{_NAMES[field]}: {text}")
    return "\n".join(lines)[:MAX_DESCRIPTION] or None
