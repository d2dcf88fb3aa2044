"""Meeting invitations (iCalendar, RFC 5545) as lines that people read: what, when, where, who, and what it says."""

import re
from collections.abc import Iterator

MAX_EVENTS = 5
MAX_ATTENDEES = 50
_LABELS = {
    "SUMMARY": "Summary",
    "DTSTART": "When",
    "LOCATION": "Location",
    "ORGANIZER": "Organizer",
    "ATTENDEE": "Attendee",
    "DESCRIPTION": "Description",
}
_ESCAPED = re.compile(r"\\(.)")
_NAME = re.compile(r';CN=(?:"([^"]*)"|([^;:"]*))', re.I)
_TIME = re.compile(r"^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d*)?")
_MAILTO = re.compile(r"^mailto:", re.I)


def text_of_invitation(calendar: str) -> str:
    """The events of a calendar file, a line for each property that says something. Reminders and time zones do not."""
    return "\n\n".join("\n".join(_lines_of(event)) for event in list(_events_in(calendar))[:MAX_EVENTS])


def _events_in(calendar: str) -> Iterator[list[tuple[str, str, str]]]:
    """Properties (name, parameters, value) of each event, without those of the components inside it."""
    event: list[tuple[str, str, str]] = []
    open_components: list[str] = []
    for name, parameters, value in _properties_in(calendar):
        if name == "BEGIN":
            open_components.append(value.upper())
        elif name == "END":
            ended = open_components.pop() if open_components else ""
            if ended == "VEVENT" and event:
                yield event
                event = []
        elif open_components[-1:] == ["VEVENT"]:
            event.append((name, parameters, value))
    if event:  # cut off
        yield event


def _properties_in(calendar: str) -> Iterator[tuple[str, str, str]]:
    for line in calendar.replace("\n ", "").replace("\n\t", "").split("\n"):
        colon = _colon_in(line)
        name, semicolon, parameters = line[:colon].partition(";")
        if colon > 0:
            yield name.strip().upper(), semicolon + parameters, line[colon + 1 :].strip()


def _colon_in(line: str) -> int:
    """Where the value begins: behind the first colon that is not inside quotes; -1 when there is none."""
    position = 0
    for number, piece in enumerate(line.split('"')):
        if number % 2 == 0 and ":" in piece:
            return position + piece.index(":")
        position += len(piece) + 1
    return -1


def _lines_of(event: list[tuple[str, str, str]]) -> Iterator[str]:
    attendees = 0
    for wanted, label in _LABELS.items():
        for name, parameters, value in event:
            attendees += name == wanted == "ATTENDEE"
            if name == wanted and value and attendees <= MAX_ATTENDEES:
                yield f"{label}: {_shown(name, parameters, value)}"


def _shown(name: str, parameters: str, value: str) -> str:
    if name == "DTSTART":
        return _TIME.sub(_readable_time, value)
    if name in ("ORGANIZER", "ATTENDEE"):
        found = _NAME.search(parameters)
        named = (found[1] or found[2] or "").strip() if found else ""
        address = _MAILTO.sub("", value)
        return f"{named} <{address}>" if named and named != address else address
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def _readable_time(found: re.Match[str]) -> str:
    day = f"{found[1]}-{found[2]}-{found[3]}"
    return f"{day} {found[4]}:{found[5]}" if found[4] else day
