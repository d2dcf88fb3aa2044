"""The same pipeline as a LangGraph graph, for teams that build on one (`WORKFLOW=langgraph`).

The steps are `pipeline.py`'s own functions; the graph only says what follows what. It has no checkpointer: our steps
are recorded in the journal already. Nothing else imports this file.
"""

import asyncio
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from extraction.events import ResearchResult
from extraction.letter import Letter
from extraction.pipeline import (
    Intake,
    Matches,
    Tools,
    ask_model,
    begin,
    look_up,
    read_attachments,
    read_letter,
    read_patterns,
    research,
    validate,
    within_grace,
)
from extraction.ports import Journal
from extraction.types import Email, Extraction


class Run(TypedDict, total=False):
    """What the nodes hand on. `looking` is research under way: it never holds up the nodes beside it."""

    email: Email
    journal: Journal
    tools: Tools
    letter: Letter
    draft: Extraction
    looking: asyncio.Task[ResearchResult | None]
    matches: Matches
    answer: Extraction
    whole: Extraction


async def _read(run: Run) -> Run:
    letter = await asyncio.to_thread(read_letter, run["email"])
    begin(letter, run["journal"], run["tools"])
    return {"letter": letter}


async def _patterns(run: Run) -> Run:
    return {"draft": await read_patterns(run["letter"], run["journal"], run["tools"])}


async def _attachments(run: Run) -> Run:
    letter, draft = await read_attachments(run["letter"], run["draft"], run["journal"], run["tools"])
    return {"letter": letter, "draft": draft}


async def _research(run: Run) -> Run:
    return {"looking": asyncio.create_task(research(run["draft"], run["journal"], run["tools"]))}


async def _model(run: Run) -> Run:
    return {"answer": await ask_model(run["letter"], run["draft"], run["journal"], run["tools"])}


async def _duplicates(run: Run) -> Run:
    return {"matches": await look_up(run["draft"], run["journal"], run["tools"])}


async def _validate(run: Run) -> Run:
    facts = await within_grace(run["looking"])
    whole = await validate(run["email"], run["answer"], facts, run["matches"], run["journal"], run["tools"])
    return {"whole": whole}


# Research needs no more than the body's fields; everything else waits for what the attachments add.
FOLLOWS = {"attachments": "patterns", "research": "patterns", "model": "attachments", "duplicates": "attachments"}


def build() -> Any:
    graph = StateGraph(Run)
    before = {"read": _read, "patterns": _patterns, "attachments": _attachments}
    beside = {"research": _research, "model": _model, "duplicates": _duplicates}
    for name, node in {**before, **beside, "validate": _validate}.items():
        graph.add_node(name, node)  # type: ignore[call-overload]  # its overloads do not take a name of type str
    graph.add_edge(START, "read")
    graph.add_edge("read", "patterns")
    for name, earlier in FOLLOWS.items():
        graph.add_edge(earlier, name)
    graph.add_edge(list(beside), "validate")
    graph.add_edge("validate", END)
    return graph.compile()


_graph = build()


async def intake_by_graph(email: Email, journal: Journal, tools: Tools) -> Intake:
    """`pipeline.intake`, called by LangGraph."""
    run: Run = await _graph.ainvoke({"email": email, "journal": journal, "tools": tools})
    return Intake(run["whole"], run["matches"], run["letter"])


def picture() -> str:
    """The graph as a Mermaid diagram, for the docs."""
    return str(_graph.get_graph().draw_mermaid())
