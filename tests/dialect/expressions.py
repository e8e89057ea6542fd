"""Expressions that engines answer in different ways, in silence: what each of them answers."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise, product
from typing import Any
from unittest.mock import patch

from tests.app_database import AppDatabase, invoke, messages, parsed_project

# Stands for a timezone where the project is compiled once for all of them.
ANY_ZONE = "Any/Zone"
# By zone, wall clocks before, in and after an hour that is skipped or shown twice there. Berlin's
# change at night, Sao Paulo's skips midnight, Lord Howe's is of half an hour; Apia lost a day.
CLOCKS = {
    "UTC": ["2024-03-31 02:30:00"],
    "Europe/Berlin": [
        *("2024-03-31 01:59:59.999999", "2024-03-31 02:00:00", "2024-03-31 02:30:00"),
        *("2024-03-31 03:00:00", "2024-10-27 01:59:59", "2024-10-27 02:00:00"),
        *("2024-10-27 02:30:00", "2024-10-27 03:00:00"),
    ],
    "America/Sao_Paulo": ["2018-11-04 00:00:00", "2018-02-17 23:30:00", "2018-02-18 00:00:00"],
    "Australia/Lord_Howe": ["2024-04-07 01:45:00", "2024-10-06 02:15:00", "2024-04-07 02:00:00"],
    "Pacific/Apia": ["2011-12-29 12:00:00", "2011-12-30 12:00:00", "2011-12-31 00:00:00"],
    "Pacific/Auckland": ["2024-04-07 02:30:00", "2024-09-29 02:30:00"],
    "Asia/Kathmandu": ["1985-12-31 23:59:59", "1986-01-01 00:05:00"],
}
MOMENTS = [
    *("2024-03-31T00:59:59.999999+00:00", "2024-10-27T00:30:00+00:00", "2024-10-27T01:30:00+00:00"),
    *(
        "1970-01-01T00:00:00+00:00",
        "1969-12-31T23:59:59.5+00:00",
        "2024-02-29T23:59:59.999999+00:00",
    ),
    *("2018-11-04T02:59:59+00:00", "2011-12-30T09:59:59+00:00", "2999-12-31T23:59:59+00:00"),
]
PATTERNS = {
    "letters": ("^[a-z]+$", ["abc", "abc\n", "ABC", "", "é", "a b"]),
    "dot": ("a.b", ["a\nb", "a\rb", "a\u2028b", "axb", "ab"]),
    "end": ("b$", ["ab", "ab\n", "ab\r\n", "abc", "b$"]),
    "braces": ("^[0-9]{3}$|x{2}", ["123", "1234", "xx", "axx", "٣٤٥"]),
    "dash": ("[._:-]+", ["a.b", "a-b", "ab", "::"]),
    "beyond_ascii": ("^[\\u00c0-\\u00ff]+$", ["éà", "eé", "\u0130", "ÿ"]),
    "wide": ("[\\u3040-\\u30ff]{2}", ["がき", "が", "ガキ"]),
    "bracket": ("[.](png|jpe?g)$", ["a.png", "a.jpeg", "a.jpg ", "a.png\n"]),
}
TEXTS = [
    *(
        "Größe",
        "ΣΊΣΥΦΟΣ",
        "İstanbul",
        "STRASSE",
        "ǅ",
        "\u212a",
        "o'brien",
        "a\\b",
        "\\",
        "'",
        '"',
        "%_",
    ),
    *("\u00a0a\u00a0", "\ta\n", " a ", "", "🍌", "a\u0000b"[:1], "e\u0301", "K\u0307"),
]
NUMBERS = ["2.5", "-2.5", "0.5", "1.5", "-0.5", "1.005", "2.675", "0.0000005", "-0.0000015"]
QUOTIENTS = [
    *[("1", "3"), ("2", "3"), ("-1", "3"), ("1", "7"), ("1", "0"), ("0", "5"), ("1", "2000000")],
    *[("999999999999.999999", "1"), ("1000000000000", "1"), ("0.000001", "2"), ("5", "-8")],
    *[("1000000000000005", "3"), ("1", "0.000000000001"), ("123456.789", "0.07")],
]
BEFORE_MARCH = "2024-02-29 23:59:59.999999"
MONTH_ENDS = ["2024-01-31", "2024-03-31", "2023-02-28", "2024-02-29", "2024-12-31", "2024-04-30"]
SPANS = [
    ("2024-03-31", "2024-04-30"),
    ("2024-01-31", "2024-02-29"),
    ("2024-04-30", "2024-03-31"),
    ("2023-12-31", "2024-01-01"),
    ("2024-02-29", "2025-02-28"),
    ("2024-06-01", "2024-06-01"),
]
HOURS = [
    ("2024-01-01 10:00:00", "2024-01-01 10:01:00"),
    ("2024-01-01 10:59:59.999999", "2024-01-01 11:00:00"),
    ("2024-01-01 11:00:00", "2024-01-01 10:59:59"),
    ("2024-03-31 01:00:00", "2024-03-31 03:00:00"),
]
# Rows with nulls and ties, to be sorted, counted and summed.
ROWS = """(
    select 1 as place, cast(null as integer) as number, {{ as_text("'b'") }} as word union all
    select 2, 3, 'a' union all select 3, 1, cast(null as {{ dbt.type_string() }}) union all
    select 4, cast(null as integer), 'B' union all select 5, 3, 'ä' union all select 6, 2, ''
) as sorted_rows"""


def text(value: str) -> str:
    """A text as Jinja gets it, to be written as the engine writes one."""
    return f"text_literals([{value!r}])"


def expressions() -> dict[str, str]:
    """By name, what to compute: SQL with the project's macros."""
    found: dict[str, str] = {}

    def add(kind: str, sql: str) -> None:
        found[f"{kind}_{sum(name.startswith(kind + '_') for name in found)}"] = sql

    for name, (pattern, texts) in PATTERNS.items():
        for each in texts:
            add(f"matches_{name}", f"{{{{ matches({text(each)}, {pattern!r}) }}}}")
            add(f"without_{name}", f"{{{{ without_matches({text(each)}, {pattern!r}) }}}}")
    for each in TEXTS:
        add("lowered", f"{{{{ lower_all({text(each)}) }}}}")
        add("length", f"length({{{{ {text(each)} }}}})")
        add("trimmed", f"{{{{ trimmed({text(each)}) }}}}")
        add("hash", f"{{{{ dbt.hash({text(each)}) }}}}")
        add("text", f"{{{{ {text(each)} }}}}")
    for number, decimals in product(NUMBERS, [0, 2, 6]):
        add("rounded", f"cast({{{{ rounded('{number}', {decimals}) }}}} as numeric(18, 6))")
    for each in NUMBERS:
        add("scale", f"cast(cast({each} as numeric(18, 9)) as numeric(18, 1))")
        signed = f"cast({each} as numeric(38, 12)) + 100000000000"
        add("signed", f"cast({{{{ sign_of('{each}') }}}} * ({signed}) as numeric(38, 12))")
        add("floor", f"cast(floor(cast({each} as numeric(18, 9))) as bigint)")
        add("number_as_text", f"{{{{ as_text('cast({each} as numeric(18, 6))') }}}}")
    for numerator, denominator in QUOTIENTS:
        given = f"'cast({numerator} as numeric(28, 12))', 'cast({denominator} as numeric(28, 12))'"
        add("quotient", f"{{{{ safe_divide({given}) }}}}")
        add("rate", f"{{{{ safe_divide('{numerator}', '{denominator}') }}}}")
    for day, amount in product(MONTH_ENDS, [-12, -1, 1, 2]):
        add(
            "months_on", f"cast({{{{ dbt.dateadd('month', {amount}, \"date '{day}'\") }}}} as date)"
        )
    for unit in ("day", "week", "year", "hour", "minute", "second"):
        add(
            "added",
            f"{{{{ dbt.dateadd('{unit}', 3, \"cast('{BEFORE_MARCH}' as timestamp)\") }}}}",
        )
    for (first, second), unit in product(SPANS, ["day", "month", "quarter", "year"]):
        dates = f"\"date '{first}'\", \"date '{second}'\""
        add(f"{unit}s_between", f"cast({{{{ dbt.datediff({dates}, '{unit}') }}}} as bigint)")
    for (first, second), unit in product(HOURS, ["hour", "minute", "second"]):
        times = f"\"cast('{first}' as timestamp)\", \"cast('{second}' as timestamp)\""
        add(f"{unit}s_between", f"cast({{{{ dbt.datediff({times}, '{unit}') }}}} as bigint)")
    for day in MONTH_ENDS:
        add("month", f"{{{{ month_of(\"date '{day}'\") }}}}")
        add("last_day", f"cast({{{{ dbt.last_day(\"date '{day}'\", 'month') }}}} as date)")
        add("days_in_month", f"{{{{ days_in_month(month_of(\"date '{day}'\")) }}}}")
    for first, end in [
        ("2024-01-01", "2024-05-01"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-02", "2024-01-01"),
    ]:
        for unit in ("day", "month"):
            spine = f"{{{{ dbt.date_spine('{unit}', \"date '{first}'\", \"date '{end}'\") }}}}"
            add("spine", f"(select count(*) from ({spine}) as spine)")
            add("spine_end", f"(select cast(max(date_{unit}) as date) from ({spine}) as spine)")
    for earlier, later in pairwise(MOMENTS):
        moments = f"timestamp_literal('{earlier}'), timestamp_literal('{later}')"
        add("seconds", f"{{{{ seconds_between({moments}) }}}}")
    for moment in MOMENTS:
        literal = f"timestamp_literal('{moment}')"
        add("unix", f"cast({{{{ unix_seconds({literal}) }}}} as numeric(18, 6))")
        add("json_time", f"{{{{ json_timestamp({literal}) }}}}")
        add("possible", f"{{{{ is_possible_time({literal}) }}}}")
        add("moved", f"{{{{ {literal} }}}} - {{{{ interval(36, 'hour') }}}}")
        add("is_last", f"{{{{ {literal} }}}} < {{{{ end_of_time() }}}}")
    for zone, clocks in CLOCKS.items():
        for clock in clocks:
            wall_clock = f"\"cast('{clock}' as timestamp)\""
            add(f"moment_{zone}", f"{{{{ from_reporting_timezone({wall_clock}) }}}}")
            add(f"day_{zone}", f"{{{{ start_of_day(\"date '{clock[:10]}'\") }}}}")
        for moment in MOMENTS:
            literal = f"timestamp_literal('{moment}')"
            add(f"clock_{zone}", f"{{{{ in_reporting_timezone({literal}) }}}}")
            add(f"month_{zone}", f"{{{{ reporting_month({literal}) }}}}")
    for order in (
        "number nulls last",
        "number nulls first",
        "number desc nulls last",
        "word nulls last",
    ):
        sorted_places = (
            f"row_number() over (order by {{{{ bytewise('{order.split()[0]}') }}}}"
            f"{order[len(order.split()[0]) :]}, place)"
            if order.startswith("word")
            else f"row_number() over (order by {order}, place)"
        )
        for place in range(1, 7):
            add(
                "nulls_in_order",
                f"(select max(row_place) from (select place, {sorted_places} as row_place"
                f" from {ROWS}) as numbered where place = {place})",
            )
    for aggregate in (
        *("count(*)", "count(number)", "count(distinct number)", "sum(number)", "max(word)"),
        *("min(number)", "count(distinct word)", "sum(case when number > 9 then number end)"),
    ):
        add("aggregate", f"(select {aggregate} from {ROWS})")
    for fraction, scale in product([0, 0.25, 0.5, 0.95, 1], [0, 3]):
        number = f"'cast(number * 1.001 as numeric(18, {scale}))'"
        found_there = f"(select {{{{ percentile({fraction}, {number}) }}}} from {ROWS})"
        add("percentile", f"cast({found_there} as numeric(18, 4))")
    for parts in (["null", "'a'"], ["'a'", "''"], ["'a'", "'b'", "'c'"]):
        add("concat", f"{{{{ dbt.concat({[f'cast({each} as varchar(9))' for each in parts]}) }}}}")
    for each in ("true", "cast(12 as bigint)", "date '2024-02-29'", "cast(null as integer)"):
        add("as_text", f'{{{{ as_text("{each}") }}}}')
    for each in (
        "'o''brien'",
        "cast(null as integer)",
        "1.10",
        "true",
        "cast(1 as bigint)",
        "cast(2.50 as numeric(18, 6))",
    ):
        add("json_object", f"{{{{ json_object({{'name': \"{each}\", 'two': '2'}}) }}}}")
    for condition, column in (("true", "number"), ("place > 9", "place")):
        row = f"json_object({{'n': '{column}'}})"
        rows = f"from {ROWS} where {condition}"
        add("json_list", f"(select {{{{ json_list({row}, 'place desc') }}}} {rows})")
        add("json_by_name", f"(select {{{{ json_by_name(as_text('place'), {row}) }}}} {rows})")
    words = """dbt.listagg('word', "', '", 'order by place desc')"""
    add("listagg", f"(select {{{{ {words} }}}} from {ROWS})")
    for limit in ("99999999999999.999999", "-99999999999999.999999", "0.000001"):
        add("limit", f"cast({limit} as numeric(20, 6)) * cast(0.5 as numeric(4, 2))")
        add("decimal", f"cast({{{{ as_decimal('{limit}') }}}} as numeric(26, 9))")
    return found


JSON = ("json_object", "json_list", "json_by_name")
# So many in one query: an engine writes a program of each.
AT_ONCE = 60


def answers(
    ask: Callable[[str], list[Any]], json_text: str = "{0}", **options: Any
) -> dict[str, Any]:
    """By name, what an engine answers; `json_text` says how it is asked for JSON.

    `options` are those of dbt's command. The project is compiled once, for any timezone.
    """
    given = {
        name: json_text.format(sql) if name.startswith(JSON) else sql
        for name, sql in expressions().items()
    }
    found: dict[str, Any] = {}
    compiled = _compiled(given, **options)
    for start in range(0, len(compiled), AT_ONCE):
        part = list(compiled.items())[start : start + AT_ONCE]
        columns = [f"{sql} as e{number}" for number, (_, sql) in enumerate(part)]
        values = ask("select\n" + ",\n".join(columns))
        found |= {name: _plain(name, value) for (name, _), value in zip(part, values, strict=True)}
    return found


def answers_of_postgres(database: AppDatabase) -> dict[str, Any]:
    """By name, what PostgreSQL answers."""
    with patch.dict(os.environ, database.environment()):
        return answers(
            lambda query: list(database.query(query)[0].values()), manifest=parsed_project()
        )


def _compiled(
    given: dict[str, str], arguments: tuple[str, ...] = (), **options: Any
) -> dict[str, str]:
    mark = "-- next expression --"
    inline = f"\n{mark}\n".join(given.values())
    variables = json.dumps({"reporting_timezone": ANY_ZONE})
    result = invoke(["compile", "--inline", inline, "--vars", variables, *arguments], **options)
    assert result.success, messages(result)
    parts = result.result.results[0].node.compiled_code.split(mark)
    return {
        name: sql.strip().replace(ANY_ZONE, zone_of(name))
        for name, sql in zip(given, parts, strict=True)
    }


def zone_of(name: str) -> str:
    """The timezone that an expression is of."""
    return next((zone for zone in CLOCKS if f"_{zone}_" in name), "UTC")


def _plain(name: str, value: Any) -> Any:
    """A value that is equal where engines agree: moments in UTC, JSON as what it holds."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    if name.startswith(JSON):
        text = value if isinstance(value, str) else json.dumps(value)
        return json.loads(text, parse_float=lambda number: Decimal(number).normalize())
    if isinstance(value, float):
        raise AssertionError(f"{name} is a float")
    return value


def disagreements(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Each expression on which two engines answer other values, or values of other kinds."""
    for name, sql in expressions().items():
        if (type(one[name]), one[name]) != (type(other[name]), other[name]):
            yield f"{name}: {one[name]!r} and {other[name]!r}: {sql}"
