"""A run told to a person at a terminal."""

from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape

from streaming.wire import Item

_ORIGINS = {"pattern": "cyan", "model": "magenta", "research": "blue", "rule": "dim", "user": "green"}


class Story:
    """Prints each event as it comes: fields with how sure they are, whence, and the words they rest on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tokens = 0

    def tell(self, item: Item) -> None:
        data = orjson.loads(item.envelope)["data"]
        line = getattr(self, f"_{item.type}", self._other)(data)
        if line:
            self._console.print(line, highlight=False, soft_wrap=True)

    def _extraction_start(self, data: dict[str, Any]) -> str:
        return f"[bold]{escape(data['message'])}[/bold] [dim]({data['model'] or data['engine']})[/dim]"

    def _extraction_token(self, data: dict[str, Any]) -> str | None:
        if self._tokens == 0:
            self._tokens = 1
            return "[dim]The model answers …[/dim]"
        return None

    def _extraction_field(self, data: dict[str, Any]) -> str:
        value = ", ".join(data["value"]) if isinstance(data["value"], list) else data["value"]
        words = (data["evidence"] or {}).get("quote")
        shown = f"  “{escape(' '.join(words.split())[:60])}”" if words and words != value else ""
        color = _ORIGINS[data["origin"]]
        place = f"{data['person'] + 1} {data['record']}.{data['field']}"
        sure = f"[{color}]{data['origin']} {data['confidence']:.2f}[/]"
        return f"  {place:<28} {escape(str(value)):<36} {sure}[dim]{shown}[/dim]"

    def _validation_result(self, data: dict[str, Any]) -> str:
        lines = [f"[bold]{escape(name)}[/bold]" for name in data["deal_names"] if name]
        lines += [f"[yellow]! {escape(issue['message'])}[/yellow]" for issue in data["issues"]]
        return "\n".join(lines)

    def _duplicate_found(self, data: dict[str, Any]) -> str:
        return f"[yellow]! The CRM already holds this {data['module']} (by {escape(data['matched_on'])})[/yellow]"

    def _review_ready(self, data: dict[str, Any]) -> str:
        return "[bold green]Ready for review[/bold green]"

    def _zoho_progress(self, data: dict[str, Any]) -> str:
        return f"  [green]✓[/green] {escape(data['message'])} [dim]{data['url'] or ''}[/dim]"

    def _complete(self, data: dict[str, Any]) -> str:
        words = {"saved": "Saved", "preview": "Preview", "nothing_to_file": "Nothing to file"}[data["status"]]
        reason = data["result"].get("reason")
        because = f": {escape(reason)}" if reason and data["status"] == "nothing_to_file" else ""
        timings = " · ".join(f"{name} {ms:.0f} ms" for name, ms in data["timings"].items())
        return f"[bold green]{words}{because}[/bold green] [dim]{timings}[/dim]"

    def _error(self, data: dict[str, Any]) -> str:
        return f"[bold red]{escape(data['message'])}[/bold red] [dim]{data['code']} · {data['correlation_id']}[/dim]"

    def _other(self, data: dict[str, Any]) -> str | None:
        return f"[dim]{escape(data['message'])}[/dim]" if data.get("message") else None
