"""Which column of a table is which of ours, and how its type is read."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from inspect_app import words
from inspect_app.catalogue import NUMBERS, TIMES, Column, Table, literal, quoted
from inspect_app.proposal import HIGH, MEDIUM, Line
from inspect_app.samples import Sampler, json_object, number

DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?"
ZONE = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
ISO = re.compile(f"{DAY}([T ]{CLOCK})?")
ISO_WITH_ZONE = re.compile(f"{DAY}[T ]{CLOCK} ?{ZONE}")
SLASHED = re.compile(
    r"([0-9]{1,2})([/.-])([0-9]{1,2})\2[0-9]{4}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?"
)
NUMERIC = re.compile(r"\s*[+-]?[0-9]+([.][0-9]+)?\s*")
JSON_NAMES = {
    *("metadata", "meta", "data", "details", "context", "extra", "ref", "payload", "params"),
    *("attributes", "info", "properties", "props", "input", "settings", "config", "options"),
    *("result", "output", "response", "request", "source", "reference", "args"),
}
Accept = Callable[[Column], bool]


@dataclass(frozen=True)
class Source:
    """A place of a table where values are: a column, or a key of a column of JSON."""

    column: Column
    key: str | None = None

    @property
    def expression(self) -> str:
        """It as SQL."""
        name = quoted(self.column.name)
        if self.key is None:
            return name
        if self.column.is_json:
            return f"{name} ->> {literal(self.key)}"
        # JSON in a column of text: what does not begin like an object is not read.
        # (A brace in quotes would be Jinja's.)
        is_object = f"left({name}, 1) = chr(123)"
        return f"case when {is_object} then cast({name} as jsonb) ->> {literal(self.key)} end"

    @property
    def label(self) -> str:
        """It as people write it."""
        return self.column.name if self.key is None else f"key {self.key} of {self.column.name}"

    def line(self, ours: str, reason: str, confidence: str = HIGH) -> Line:
        """A line of the mapping that reads it as it is."""
        if self.key is None:
            return Line(ours, self.column.name, reason, confidence)
        return Line(ours, None, reason, confidence, self.expression)


def users(table: Table) -> list[Column]:
    """The columns that may hold users, the best first; a mail address where there is no other."""
    found = named(table, words.USER_COLUMNS, lambda each: not each.is_json)
    return found or named(table, words.USER_FALLBACKS, lambda each: each.is_text)


def created(table: Table) -> list[Column]:
    """The columns that may say when a row was written; where none is named so, other times."""
    found = named(table, words.CREATED_COLUMNS, is_time_like)
    return found or [
        column
        for column in table.columns.values()
        if column.type in TIMES and not set(words.tokens(column.name)) & words.OTHER_TIMES
    ]


def named(table: Table, synonyms: Sequence[str], accept: Accept = lambda _: True) -> list[Column]:
    """The columns whose name is one of some synonyms, the best first."""
    ranked = [
        (rank, place, column)
        for place, column in enumerate(table.columns.values())
        if (rank := words.best_rank(column.name, synonyms)) is not None and accept(column)
    ]
    return [column for _, _, column in sorted(ranked, key=lambda each: each[:2])]


def keys(sampler: Sampler, table: Table) -> list[Source]:
    """The keys of the objects in a table's columns of JSON, the most frequent first."""
    if table.sql in sampler.keys:
        known: list[Source] = sampler.keys[table.sql]
        return known
    found = []
    for column in table.columns.values():
        is_text_of_json = column.is_text and words.plain(column.name) in JSON_NAMES
        if not (column.is_json or is_text_of_json):
            continue
        counts: dict[str, int] = {}
        for value in sampler.values(table, column.name):
            for key, inner in json_object(value).items():
                if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,39}", key) and not isinstance(
                    inner, dict | list
                ):
                    counts[key] = counts.get(key, 0) + 1
        found += [(count, Source(column, key)) for key, count in counts.items()]
    ranked = [source for _, source in sorted(found, key=lambda each: -each[0])]
    sampler.keys[table.sql] = ranked
    return ranked


def named_keys(sampler: Sampler, table: Table, synonyms: Sequence[str]) -> list[Source]:
    """The keys in JSON whose name is one of some synonyms, the best first."""
    ranked = [
        (rank, source)
        for source in keys(sampler, table)
        if (rank := words.best_rank(source.key or "", synonyms)) is not None
    ]
    return [source for _, source in sorted(ranked, key=lambda each: each[0])]


def key_values(sampler: Sampler, table: Table, source: Source) -> list[str]:
    """The values of a source in the sample that are not null, as text."""
    values = sampler.values(table, source.column.name)
    if source.key is None:
        return values
    inner = (json_object(value).get(source.key) for value in values)
    return [str(each) for each in inner if each is not None]


def is_time_like(column: Column) -> bool:
    """Whether a column may hold times, by its type."""
    return column.type in TIMES or column.type in NUMBERS - {"money"} or column.is_text


def time_line(
    sampler: Sampler, table: Table, column: Column, ours: str, reason: str
) -> Line | None:
    """A line that reads a column as a time; None where its values do not say how."""
    name = quoted(column.name)
    if column.type == "timestamp with time zone":
        return Line(ours, column.name, reason)
    if column.type == "timestamp without time zone":
        return Line(ours, column.name, f"{reason}; without a zone, read as UTC", MEDIUM)
    if column.type == "date":
        at = f"cast({name} as timestamp) at time zone 'UTC'"
        return Line(ours, None, f"{reason}; a day, read as its midnight UTC", MEDIUM, at)
    if column.is_number:
        found = _epoch(sampler, table, column)
        if not found:
            return None
        unit, at = found
        return Line(ours, None, f"{reason}; {unit} since 1970 by their size", MEDIUM, at)
    found = _text_time(sampler.values(table, column.name), name) if column.is_text else None
    if not found:
        return None
    form, at = found
    return Line(ours, None, f"{reason}; text, {form}", MEDIUM, at)


def _epoch(sampler: Sampler, table: Table, column: Column) -> tuple[str, str] | None:
    return _epoch_of([float(each) for each in sampler.numbers(table, column.name)], column.name)


def _epoch_of(values: list[float], name: str, cast: str | None = None) -> tuple[str, str] | None:
    middle = median(values) if values else 0
    for unit, least, divisor in (
        ("seconds", 1e8, ""),
        ("milliseconds", 1e11, " / 1000.0"),
        ("microseconds", 1e14, " / 1000000.0"),
    ):
        if (least <= middle < least * 1000 and unit != "seconds") or least <= middle < 1e11:
            return unit, f"to_timestamp({cast or quoted(name)}{divisor})"
    return None


def _text_time(values: list[str], name: str) -> tuple[str, str] | None:
    filled = [value for value in values if value.strip()]
    if not filled:
        return None

    def share(pattern: re.Pattern[str]) -> float:
        return sum(bool(pattern.fullmatch(value)) for value in filled) / len(filled)

    with_zone, without = share(ISO_WITH_ZONE), share(ISO)
    zoned = f"when {name} ~ '^{DAY}[T ]{CLOCK} ?{ZONE}$' then cast({name} as timestamptz)"
    bare = (
        f"when {name} ~ '^{DAY}([T ]{CLOCK})?$' then cast({name} as timestamp) at time zone 'UTC'"
    )
    if with_zone + without >= 0.9:
        parts = ([zoned] if with_zone else []) + ([bare] if without else [])
        form = "ISO with a zone" if not without else "ISO without a zone, read as UTC"
        return form, f"case {' '.join(parts)} end"
    if share(NUMERIC) >= 0.9:
        cast = f"case when {name} ~ '^[0-9]+([.][0-9]+)?$' then cast({name} as numeric) end"
        found = _epoch_of([float(value) for value in filled if NUMERIC.fullmatch(value)], "", cast)
        return (f"{found[0]} since 1970 by their size", found[1]) if found else None
    if share(SLASHED) >= 0.9:
        return _slashed(filled, name)
    return None


def _slashed(values: list[str], name: str) -> tuple[str, str] | None:
    parts = [match for value in values if (match := SLASHED.fullmatch(value))]
    mark = parts[0][2]
    day_first = any(int(match[1]) > 12 for match in parts)
    month_first = any(int(match[3]) > 12 for match in parts)
    if day_first == month_first:
        return None
    form = f"DD{mark}MM{mark}YYYY" if day_first else f"MM{mark}DD{mark}YYYY"
    form += " HH24:MI:SS" if parts[0][5] else " HH24:MI" if parts[0][4] else ""
    guard = f"{name} ~ '^[0-9]{{1,2}}[/.-][0-9]{{1,2}}[/.-][0-9]{{4}}'"
    read = f"cast(to_timestamp({name}, '{form}') as timestamp) at time zone 'UTC'"
    return f"written {form}, read as UTC", f"case when {guard} then {read} end"


def number_line(
    sampler: Sampler, table: Table, column: Column, ours: str, reason: str, confidence: str = HIGH
) -> Line | None:
    """A line that reads a column as a number; None where it holds something else."""
    if column.is_number:
        if column.factor:
            read = f"cast({quoted(column.name)} as numeric){column.factor}"
            told = f"{reason}; money, which this database does not keep in hundredths"
            return Line(ours, None, told, confidence, read)
        unit = words.unit(column.name)
        if unit > 1:
            read = f"{quoted(column.name)} / {unit}.0"
            return Line(ours, None, f"{reason}; {unit:,} of it are one", confidence, read)
        return Line(ours, column.name, reason, confidence)
    filled = [value for value in sampler.values(table, column.name) if value.strip()]
    if not column.is_text or not filled:
        return None
    if sum(bool(NUMERIC.fullmatch(value)) for value in filled) / len(filled) < 0.9:
        return None
    name = quoted(column.name)
    read = f"case when {name} ~ '^ *[+-]?[0-9]+([.][0-9]+)? *$' then cast({name} as numeric) end"
    return Line(ours, None, f"{reason}; a number as text", MEDIUM, read)


def is_number_like(sampler: Sampler, table: Table, column: Column) -> bool:
    """Whether a column holds numbers, by its type or as text."""
    return number_line(sampler, table, column, "", "") is not None


def money_line(sampler: Sampler, table: Table, ours: str = "cost_usd") -> Line:
    """The line of what the vendor charges in dollars: a column, or a key in JSON."""
    sources = [Source(column) for column in named(table, words.COST_COLUMNS)]
    sources += named_keys(sampler, table, words.COST_COLUMNS)
    for source in sources:
        name = source.key or source.column.name
        values = [
            each
            for text in key_values(sampler, table, source)
            if (each := number(text)) is not None
        ]
        parts = set(words.tokens(name))
        is_named_money = bool(parts & {"usd", "cent", "micro", "dollar"})
        is_whole = all(value == value.to_integral_value() for value in values)
        if not source.column.is_number and source.key is None:
            continue
        if not is_named_money and values and is_whole and max(values) >= 1:
            # A whole number may as well be credits.
            continue
        divisor = words.unit(name) * (100 if "cent" in parts else 1)
        unit = {1: "US dollars", 100: "cents"}.get(divisor, f"{divisor:,} to the dollar")
        reason = f"named {source.label}, {unit}"
        confidence = HIGH if is_named_money else MEDIUM
        if source.key is None and divisor == 1:
            return Line(ours, name, reason, confidence)
        read = source.expression
        if source.key is not None:
            read = f"cast({read} as numeric)"
        if divisor > 1:
            read = f"{read} / {divisor}.0"
        return Line(ours, None, reason, MEDIUM, read)
    return Line(ours, None, "no column of what the vendor charges was found", MEDIUM)


def word_line(
    sampler: Sampler,
    table: Table,
    ours: str,
    synonyms: Sequence[str],
    taken: set[str],
    lacking: str,
) -> Line:
    """The line of a column with words, such as a model's name: a column, or a key in JSON."""
    columns = [column for column in named(table, synonyms) if column.name not in taken]
    for column in columns:
        joined = joined_line(sampler, table, column, ours)
        if joined is not None:
            return joined
        if ours == "provider" and _is_users_own(sampler, table, column):
            continue
        found = sampler.words(table, quoted(column.name)) if column.is_text else None
        if found and all(word.lower().split("/")[-1] in words.FORMATS for word in found):
            continue
        if ours == "enhancement_type" and not _tells_type(table, column, synonyms, found):
            continue
        if column.is_text and is_vocabulary(sampler, table, Source(column)):
            return Line(ours, column.name, f"named {column.name}")
        if column.is_text and sampler.is_empty(table):
            return Line(ours, column.name, f"named {column.name}, no rows to tell by", MEDIUM)
    for source in named_keys(sampler, table, synonyms):
        if is_vocabulary(sampler, table, source):
            return source.line(ours, f"{source.label}", MEDIUM)
    return Line(ours, None, lacking, MEDIUM)


def _tells_type(
    table: Table, column: Column, synonyms: Sequence[str], found: Iterable[str] | None
) -> bool:
    """Whether a column that is no usual one of types is about what is made, or says it."""
    rank = words.best_rank(column.name, synonyms)
    made = words.WORK | words.IMAGE | words.VIDEO
    if rank is None or not synonyms[rank].startswith("~") or not found:
        return True
    if set(words.tokens(column.name)[:1]) & made.union(words.tokens(table.name)):
        return True
    return any(words.stems(word) & made for word in found)


def _is_users_own(sampler: Sampler, table: Table, column: Column) -> bool:
    """Whether models are those that users trained, called as the users like."""
    if not column.is_text:
        return column.name in table.references
    values = sampler.values(table, column.name)
    for other in sampler.tables:
        if other is table or "model" not in words.tokens(other.name) or not users(other):
            continue
        for name in named(other, ["name", "title"], lambda each: each.is_text):
            if other.is_readable and sampler.share(values, other, name.name) >= 0.3:
                return True
    return False


def is_vocabulary(sampler: Sampler, table: Table, source: Source) -> bool:
    """Whether the values are few words, none of which tells of a person."""
    if source.column.labels:
        return True
    return bool(sampler.words(table, source.expression))


def joined_line(sampler: Sampler, table: Table, column: Column, ours: str) -> Line | None:
    """The name in the row of another table to which a foreign key leads, such as a plan's.

    None where the key is such a name itself.
    """
    reference = table.references.get(column.name)
    other = sampler.table_of(reference) if reference else None
    if reference is None or other is None or (ours == "provider" and users(other)):
        # A model of a user's own has the name that the user gave it.
        return None
    ids = {row[reference.column]: row for row in sampler.rows(other)}
    for name in named(other, words.PLAN_NAMES, lambda each: each.is_text):
        if name.name == reference.column or not is_vocabulary(sampler, other, Source(name)):
            continue
        if ids and all(_is_same(key, row[name.name]) for key, row in ids.items()):
            return None
        read = (
            f"(select named.{quoted(name.name)} from {other.sql} as named"
            f" where named.{quoted(reference.column)} = app_row.{quoted(column.name)})"
        )
        if other.columns[name.name].type == "enum":
            read = f"cast({read} as text)"
        reason = f"{column.name} leads to {other.label}, whose {name.name} is the word"
        return Line(ours, None, reason, MEDIUM, read)
    return None


def _is_same(key: str | None, name: str | None) -> bool:
    """Whether a key is a name's slug."""
    one, other = (re.sub("[^a-z0-9]", "", (each or "").lower()) for each in (key, name))
    return bool(one and other) and (one in other or other in one)


def optional_number(
    sampler: Sampler, table: Table, ours: str, synonyms: Sequence[str]
) -> Line | None:
    """A line of a column with numbers that may be missing."""
    for column in named(table, synonyms, lambda each: each.is_number):
        return number_line(sampler, table, column, ours, f"named {column.name}")
    return None
