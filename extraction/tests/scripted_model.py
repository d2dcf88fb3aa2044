"""A language model in this process that says what a test wants, and points where the words stand in its prompt."""

import json
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any

from extraction.notebook import Notebook
from extraction.pipeline import Intake, Tools, intake
from extraction.ports import Prompt
from extraction.prompt import SCHEMA
from extraction.tests.letters import OWN
from extraction.types import LISTS, Email, OwnFirm, Usage

Told = Mapping[str, Any]
KINDS = SCHEMA["$defs"]["person"]["properties"]


class ScriptedModel:
    """Keeps the promise of `ports.LanguageModel`. A person is told as `{key: value}`; `pointing` gives the words whose
    line a value is said to stand on, else it is the line of the value itself, else the first."""

    name = "scripted"

    def __init__(self, *people: Told, intent: str = "candidate", pointing: Told | None = None) -> None:
        self._people, self._intent, self._pointing = people, intent, pointing or {}
        self.prompts: list[Prompt] = []

    async def close(self) -> None:
        pass

    async def stream(self, prompt: Prompt) -> AsyncGenerator[str | Usage, None]:
        self.prompts.append(prompt)
        text = self.answer(prompt.user)
        for start in range(0, len(text), 50):
            yield text[start : start + 50]
        yield Usage(input_tokens=1, output_tokens=1)

    def answer(self, shown: str) -> str:
        return json.dumps({"intent": self._intent, "people": [self._person(person, shown) for person in self._people]})

    def _person(self, person: Told, shown: str) -> dict[str, Any]:
        def found(key: str, value: str) -> dict[str, Any]:
            return {"value": value, "line": line_of(self._pointing.get(key, value), shown)}

        def whole(key: str) -> Any:
            if key == "role":
                return person.get("role", "candidate")
            if key in LISTS:
                return [found(key, value) for value in person.get(key, ())]
            return found(key, person[key]) if person.get(key) else None

        return {key: whole(key) for key in KINDS}


class RawModel(ScriptedModel):
    """Says a text as it is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def answer(self, shown: str) -> str:
        return self._text


def line_of(words: str, shown: str) -> int:
    found = re.search(rf"^(\d+)\| .*{re.escape(words)}", shown, re.M | re.I)
    return int(found[1]) if found else 1


async def understood(
    email: Email, model: ScriptedModel | None = None, own: OwnFirm = OWN, **tools: Any
) -> tuple[Intake, Notebook]:
    notebook = Notebook()
    found = await intake(
        email.model_copy(update={"user_context": own.user}), notebook, Tools(own, model=model, **tools)
    )
    return found, notebook


def values_of(found: Intake, least: float = 0.0) -> list[dict[tuple[str, str], Any]]:
    """Of each person what is known at least so surely."""
    return [
        {value.name: value.value for value in person.fields if value.confidence >= least}
        for person in found.extraction.people
    ]


def told_texts(found: Intake) -> Iterable[str]:
    """Every text that is shown of the people: values and alternatives."""
    for person in found.extraction.people:
        for value in person.fields:
            for content in (value.value, *(other.value for other in value.alternatives)):
                yield from content if isinstance(content, list) else [content]
