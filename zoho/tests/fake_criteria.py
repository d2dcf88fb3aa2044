"""Zoho's search criteria: `((Email:equals:a@b.c)and(Stage:not_equal:Closed Won))`; `( ) , \\` are escaped."""

from collections.abc import Callable
from typing import Any

Record = dict[str, Any]
Test = Callable[[Record], bool]


class CriteriaError(ValueError):
    """Not Zoho's grammar, or not a field or operator of the module."""


def criteria(text: str, fields: set[str]) -> Test:
    """What the criteria say about a record."""
    parser = _Parser(text, fields)
    test = parser.expression()
    if parser.at != len(text):
        raise CriteriaError(text[parser.at :])
    return test


class _Parser:
    def __init__(self, text: str, fields: set[str]) -> None:
        self.text, self.fields, self.at = text, fields, 0

    def expression(self) -> Test:
        test = self._term()
        while word := next((word for word in ("and", "or") if self.text[self.at :].lower().startswith(word)), None):
            self.at += len(word)
            test = _joined(word, test, self._term())
        return test

    def _term(self) -> Test:
        self._expect("(")
        test = self.expression() if self._sees("(") else self._condition()
        self._expect(")")
        return test

    def _condition(self) -> Test:
        name, operator = self._upto(":"), self._upto(":")
        return _test(name, operator, self._values(), self.fields)

    def _upto(self, end: str) -> str:
        found, _, _ = self.text[self.at :].partition(end)
        self.at += len(found) + len(end)
        return found

    def _values(self) -> list[str]:
        """The value, or the values where they stand by commas."""
        values = [""]
        while self.at < len(self.text) and not self._sees(")"):
            letter = self.text[self.at]
            if letter == "(":
                raise CriteriaError("a parenthesis that is not escaped")
            if letter == "\\":
                self.at += 1
                letter = self.text[self.at : self.at + 1]
            elif letter == ",":
                values.append("")
                letter = ""
            values[-1] += letter
            self.at += 1
        return values

    def _sees(self, letter: str) -> bool:
        return self.text[self.at : self.at + 1] == letter

    def _expect(self, letter: str) -> None:
        if not self._sees(letter):
            raise CriteriaError(f"{letter} expected")
        self.at += 1


def _joined(word: str, one: Test, other: Test) -> Test:
    return (lambda record: one(record) and other(record)) if word == "and" else (lambda r: one(r) or other(r))


def _test(name: str, operator: str, values: list[str], fields: set[str]) -> Test:
    field, _, part = name.partition(".")
    if field not in fields or part not in ("", "id"):
        raise CriteriaError(name)
    wanted = [value.casefold() for value in values]
    tests: dict[str, Callable[[str], bool]] = {
        "equals": lambda found: found == wanted[0],
        "not_equal": lambda found: found != wanted[0],
        "starts_with": lambda found: found.startswith(wanted[0]),
        "in": lambda found: found in wanted,
        "greater_than": lambda found: found > wanted[0],
        "greater_equal": lambda found: found >= wanted[0],
        "less_than": lambda found: found < wanted[0],
        "less_equal": lambda found: found <= wanted[0],
        "between": lambda found: wanted[0] <= found <= wanted[-1],
    }
    many = {"in": 99, "between": 2}.get(operator, 1)
    if operator not in tests or len(values) > many:
        raise CriteriaError(operator)
    return lambda record: tests[operator](text_of(record, field, by_id=part == "id"))


def text_of(record: Record, field: str, by_id: bool = False) -> str:
    """The field as a search sees it."""
    value = record.get(field)
    if isinstance(value, dict):
        value = value.get("id" if by_id else "name")
    return "" if value is None else str(value).casefold()
