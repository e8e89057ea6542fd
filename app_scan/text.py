"""Texts inside of code, and where each letter stands: a string, a word of a script, SQL."""

from collections.abc import Iterator
from dataclasses import dataclass

from app_scan import retired
from app_scan.sql import scan_sql
from app_scan.uses import Use

UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # what is known at run time only
_SQL = {
    *("select", "insert", "update", "delete", "with", "create", "drop", "alter", "truncate"),
    *("copy", "grant", "revoke", "comment", "call", "do", "begin", "explain", "lock", "merge"),
    *("analyze", "refresh", "set", "declare", "table"),
}


@dataclass
class Text:
    """A text, and the line (from 1) that each of its letters stands on."""

    value: str
    lines: list[int]

    @staticmethod
    def of(value: str, line: int) -> "Text":
        """A text that is written as it is from a line on."""
        lines = []
        for letter in value:
            lines.append(line)
            line += letter == "\n"
        return Text(value, lines)

    def __add__(self, other: "Text") -> "Text":
        return Text(self.value + other.value, self.lines + other.lines)

    def part(self, start: int, end: int) -> "Text":
        """Some of its letters."""
        return Text(self.value[start:end], self.lines[start:end])

    def line(self, offset: int) -> int:
        """The line of a letter; of the last one beyond the end."""
        return self.lines[min(offset, len(self.lines) - 1)] if self.lines else 1


def uses(text: Text, names: retired.Names) -> Iterator[Use]:
    """What a text uses: a name, addresses in it, or SQL."""
    yield from _routes(text, names)
    if not names.are_in(text.value):
        return
    stripped = text.value.strip()
    bare = stripped.lstrip("-").rpartition("=")[2] if stripped.startswith("-") else stripped
    name = bare.rpartition(".")[2].strip('"')
    if kind := names.kind_of(name):
        if kind != "dependent":
            use = {"table": "query", "function": "call"}.get(kind, "value")
            yield Use(text.line(text.value.find(bare)), kind, name.lower(), use, is_exact=True)
        return
    first = "".join(stripped.split(None, 1)[:1]).lower().strip("(;")
    is_sql = first in _SQL or "\n" in stripped
    for use in scan_sql(text.value, names).uses:
        is_called = use.use == "call" or use.is_followed_by_parenthesis
        yield use.at(text.line(use.offset), is_sure=is_sql or is_called)


def _routes(text: Text, names: retired.Names) -> Iterator[Use]:
    """Addresses in a text: the app's routes, and tables and functions by the HTTP interface."""
    if "/" not in text.value:
        return
    for offset, word in _words(text.value):
        if "/" not in word:
            continue
        path = word.partition("?")[0].partition("#")[0]
        segments = [segment for segment in path.split("/") if segment]
        for number, segment in enumerate(segments):
            before = segments[max(number - 2, 0) : number]
            line = text.line(offset)
            if segment in retired.ROUTES and (before[-1:] == ["admin"] or before == []):
                if before or segment == "refill-credits":
                    yield Use(line, "route", segment, "request", is_exact=True)
            elif segment == "refill-credits":
                yield Use(line, "route", segment, "request", is_exact=True)
            elif segment.startswith(UNKNOWN) and before == ["api", "admin"]:
                yield Use(line, "route", "/".join(segments[number:]), "built", is_sure=False)
            elif before[-1:] in (["v1"], ["rpc"]) and names.kind_of(segment):
                kind = names.kind_of(segment)
                use = "call" if kind == "function" else "query"
                yield Use(line, kind, segment.lower(), use, is_exact=True)


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Words between blanks and quotes, with their places."""
    start = None
    for place, letter in enumerate(text + " "):
        if letter.isspace() or letter in "\"'`()<>,;|":
            if start is not None:
                yield start, text[start:place]
            start = None
        elif start is None:
            start = place
