"""Check that SQL which PostgreSQL alone understands stands in `macros/dialect/`.

Read are the SQL between Jinja's marks and the strings within them, which may be SQL; comments are
not. What belongs to the server and not to the models may be PostgreSQL's: see `OF_THE_SERVER`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = ("models", "macros", "analyses", "tests/generic", "tests/singular")
OF_THE_SERVER = (
    "macros/cleanup/",
    "macros/dialect/",
    "macros/incremental/replace_in_place.sql",
    "macros/incremental/replace_strategy.sql",
    "macros/incremental/write_differences.sql",
    "macros/materializations/",
    "macros/operations/",
    "macros/relations/",
    "macros/runs/",
    "macros/security/",
)
# What is refused, as a regular expression, and what to write instead.
REFUSED = {
    r"::\s*[a-z]": "cast(... as ...)",
    r"\bas (text|character varying|varchar)\s*\)": "as_text(...) or dbt.type_string()",
    r"\btimestamptz\b": "type_timestamptz()",
    r"\b(double precision|float8|real)\b": "type_double()",
    r"\bas (numeric|decimal)\s*\)": "as_decimal(...), exact_decimal(...) or a precision",
    r"\bas (uuid|jsonb?|bytea|regclass)\b\s*\)": "a macro in macros/dialect/",
    r"\binterval '": "interval(...)",
    r"\bdate '[^']*'\s*[+-]": "dbt.dateadd(...)",
    r"'-?infinity'": "end_of_time() or last_date()",
    r"\bat time zone\b": "in_reporting_timezone(...) or from_reporting_timezone(...)",
    r"\bextract\(epoch\b": "seconds_between(...) or unix_seconds(...)",
    r"\bdate_trunc\(": "dbt.date_trunc(...)",
    r"\bgenerate_series\(": "days_until_as_of(), months_until_as_of() or dbt.date_spine(...)",
    r"\bpercentile_(cont|disc)\(": "percentile(...)",
    r"\bfilter \(where\b": "an aggregate of case when ... end",
    r"\bdistinct on\b": "row_number()",
    r"\bcollate\b": "bytewise(...) or in_own_order(...)",
    r"\b(lower|upper|initcap)\(": "lower_ascii(...) or lower_all(...)",
    r"\b(regexp_\w+|similar to|ilike)\b": "matches(...) or without_matches(...)",
    r"\bsign\(": "sign_of(...)",
    r"\bbtrim\(": "trimmed(...) or trimmed_id(...)",
    r"\b(string_agg|array_agg)\(": "dbt.listagg(...)",
    r"\b(array\s*\[|unnest\(|any\(array\b)": "a macro in macros/dialect/",
    r"\b(jsonb?_\w+|row_to_json|to_jsonb?)\(": "json_object(...) or json_list(...)",
    r"\b(to_char|to_timestamp|now)\(": "a macro in macros/dialect/",
    r"\b(md5|sha256|hash\w+_extended)\(": "dbt.hash(...), row_digest(...) or hidden_id(...)",
    r"\b(pg_|to_reg)\w+": "a macro in macros/dialect/",
    r"\bas (not )?materialized\b|\boffset 0\b": "computed_once() or not_merged()",
    r"\b(on conflict|returning)\b": "a macro in macros/dialect/",
    r";\s*commit\b": "run_and_commit(...)",
    r"\([^()]+,[^()]+\)\s+is (not )?distinct from": "a comparison of each column",
}
# Between Jinja's marks `~` joins strings.
REFUSED_OUTSIDE_JINJA = {r"!?~": "matches(...)"}


def problems(project: Path) -> Iterator[str]:
    """Each line that another engine would not read, and each dispatch that is not whole."""
    for folder in FOLDERS:
        for path in sorted((project / folder).rglob("*.sql")):
            name = path.relative_to(project).as_posix()
            source = path.read_text()
            if not name.startswith(OF_THE_SERVER):
                for line, found, instead in refused(source):
                    yield f"{name}:{line}: `{found}` is PostgreSQL's: write {instead}"
            if name.startswith("macros/dialect/"):
                for fault in faults_of_dispatch(source, path.stem):
                    yield f"{name}: {fault}"


def refused(source: str) -> Iterator[tuple[int, str, str]]:
    """The line, the text and what to write instead, of what only PostgreSQL understands."""
    environment = Environment(extensions=["jinja2.ext.do"])
    for line, kind, text in environment.lex(source):
        if kind not in ("data", "string"):
            continue
        patterns = {**REFUSED, **REFUSED_OUTSIDE_JINJA} if kind == "data" else REFUSED
        sql = re.sub(r"--[^\n]*", "", text)
        for pattern, instead in patterns.items():
            for match in re.finditer(pattern, sql):
                yield line + sql.count("\n", 0, match.start()), match.group(), instead


def faults_of_dispatch(source: str, name: str) -> Iterator[str]:
    """What a file of the dialect lacks: the project's name, or what other engines get."""
    macros = set(re.findall(r"\{%-? ?macro (\w+)\(", source))
    public = {macro for macro in macros if "__" not in macro}
    overrides = {macro.split("__")[1] for macro in macros if "__" in macro}
    if name not in public | overrides:
        yield f"has no macro {name}, which its name promises"
    for macro, namespace in re.findall(r"adapter\.dispatch\('(\w+)'(, 'paygen')?\)", source):
        if not namespace:
            yield f"dispatches {macro} without the project's name"
        if f"default__{macro}" not in macros:
            yield f"has no default__{macro}: standard SQL, or missing_in_dialect(...)"
    for macro, body in re.findall(r"macro default__(\w+)\(.*?%}(.*?)\{%-? endmacro", source, re.S):
        if "missing_in_dialect(" in body and f"spark__{macro}" not in macros:
            yield f"has no spark__{macro}, and default__{macro} only says that it is missing"


def main() -> int:
    """Print all problems and answer the exit code."""
    found = list(problems(PROJECT))
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
