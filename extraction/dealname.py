"""How a deal is called."""

MAX_DEAL_NAME = 120


def deal_name(title: str | None, location: str | None, company: str | None) -> str | None:
    """`Title (Location) - Company`; a missing part goes with its punctuation; without a title the company alone."""
    if not title:
        return _cut(company) if company else None
    placed = f"{title} ({location})" if location else title
    return _cut(f"{placed} - {company}" if company else placed)


def client_deal_name(person: str | None, company: str | None) -> str | None:
    """`Recruiting Services - Person (Company)`, without what is missing."""
    if not person:
        return _cut(f"Recruiting Services - {company}") if company else None
    return _cut(f"Recruiting Services - {person} ({company})" if company else f"Recruiting Services - {person}")


def _cut(name: str) -> str:
    """At most `MAX_DEAL_NAME` characters, ending with a whole word."""
    name = " ".join(name.split())
    if len(name) <= MAX_DEAL_NAME:
        return name
    head = name[: MAX_DEAL_NAME + 1]
    return (head.rpartition(" ")[0] or head[:MAX_DEAL_NAME]).rstrip(" ,-(")[:MAX_DEAL_NAME]
