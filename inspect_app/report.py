"""What an inspection prints."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from inspect_app.proposal import ROLES, Proposal, ValueRow

COLOURS = {"high": "green", "medium": "yellow", "low": "red"}


def render(proposal: Proposal) -> RenderableType:
    """The proposal as tables: one for each of our tables, one for the words."""
    parts: list[RenderableType] = []
    for mapped in proposal.tables:
        where = mapped.table.label if mapped.table else "none"
        table = Table(
            title=f"{escape(ROLES[mapped.role])}: [bold]{escape(where)}[/bold]"
            f" ({escape(mapped.reason)})",
            title_justify="left",
            box=None,
            padding=(0, 2, 0, 0),
        )
        for name in ("column", "read from", "sure", "because"):
            table.add_column(name, overflow="fold")
        for line in mapped.lines:
            table.add_row(
                line.column, escape(line.shown), sure(line.confidence), escape(line.reason)
            )
        parts += [table if mapped.table else table.title or "", ""]
    if proposal.values:
        table = Table(title="Words", title_justify="left", box=None, padding=(0, 2, 0, 0))
        for name in ("list", "row", "sure", "because"):
            table.add_column(name, overflow="fold")
        for kind, rows in proposal.values.items():
            for row in rows:
                table.add_row(kind, escape(_row(row)), sure(row.confidence), escape(row.reason))
        parts += [table, ""]
    if proposal.untold:
        parts.append("[bold]What could not be told[/bold]")
        parts += [f"  - {escape(each)}" for each in proposal.untold]
    return Group(*parts)


def _row(row: ValueRow) -> str:
    """A row in short: the word, and what it means."""
    word, *rest = row.row.items()
    told = [name if value is True else str(value) for name, value in rest if value is not False]
    return f"{word[1]}: {', '.join(told)}" if told else str(word[1])


def sure(confidence: str) -> str:
    """A confidence in its colour."""
    return f"[{COLOURS[confidence]}]{confidence}[/{COLOURS[confidence]}]"
