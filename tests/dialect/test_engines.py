"""A second engine answers as PostgreSQL does: the SQL means the same there."""

import os
import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from unittest.mock import patch

import duckdb
import pytest

from tests import sample
from tests.app_database import PROJECT, AppDatabase
from tests.config.test_changed_code import PARTS
from tests.dialect.expressions import answers, answers_of_postgres, disagreements
from tests.dialect.quirks import with_quirks
from tests.dialect.second_engine import (
    FORECASTS,
    REASONS,
    assert_engines_agree,
    build_on_duckdb,
    build_on_postgres,
    columns_of,
    parsed_for_duckdb,
    target_of_duckdb,
)
from tests.dialect.values import Row, quirks, values_of_duckdb, values_of_postgres
from tests.histories import write_histories
from tests.marts.test_oracle import CASES, MOMENTS

IN_THE_GATE = "auckland_narrow_windows"


def draw_forecasts(seed: int) -> list[Row]:
    """Forecasts of the months of the histories, in the place of the Python model's."""
    random = Random(seed)
    drawn = {
        "bigint": lambda: random.randint(0, 400),
        "boolean": lambda: random.random() < 0.3,
        "double precision": lambda: random.choice([0.0, 14.5, 15.0, 29.958333333333332]),
        "integer": lambda: random.randint(0, 2),
        "numeric": lambda: Decimal(random.randint(0, 10**7)) / 10**4,
        "text": lambda: "ok",
    }
    forecasts = []
    for number in range(60):
        day = date(2023, 12, 1) + timedelta(days=random.choice([0, 15]) + 31 * (number % 14))
        row = {
            name: day if type_ == "date" else drawn[type_.partition("(")[0]]()
            for name, type_ in columns_of(FORECASTS).items()
        }
        row["provider"] = random.choice(["all", "nanobanana", "seedream", "wan"])
        row["month_start"] = (day + timedelta(days=random.choice([0, 31, 62]))).replace(day=1)
        forecasts.append(row)
    return forecasts


def computed(seed: int) -> dict[str, list[Row]]:
    """By model, rows in the place of those that Python computes: of reasons, that of no message."""
    no_message = {"error_message": "", "normalised_message": "", "category": "unknown"}
    reasons = [{**no_message, "reason": "No cause given"}]
    return {FORECASTS: draw_forecasts(seed), REASONS: reasons}


@pytest.mark.parametrize(
    "case",
    [case if case == IN_THE_GATE else pytest.param(case, marks=pytest.mark.long) for case in CASES],
)
def test_drawn_histories(database: AppDatabase, tmp_path: Path, case: str) -> None:
    """Rows with every defect and what engines read in different ways, in four timezones."""
    seed = 50 + list(CASES).index(case)
    tables = with_quirks(write_histories(seed, MOMENTS), seed)
    given = tables, CASES[case].dbt_variables(), computed(seed)
    build_on_postgres(database, *given)
    build_on_duckdb(tmp_path / "app.duckdb", *given)
    assert_engines_agree(database, tmp_path / "app.duckdb")


# What engines do otherwise in silence, as it would be were it not in the dialect layer.
FAULTS = {
    "type_decimal": ("numeric(38, 12)", "numeric(38, 3)"),
    "quotient": (
        "{{ as_decimal(as_decimal(numerator) ~ ' / nullif(' ~ denominator ~ ', 0)') }}",
        "{{ as_decimal(numerator) }} / nullif({{ denominator }}, 0)",
    ),
    "percentile": (
        "(order by cast(' ~ expression ~ ' as '\n        ~ type_double() ~ '))'",
        "(order by ' ~ expression ~ ')'",
    ),
    "seconds_between": (
        "date_diff('microsecond', {{ earlier }}, {{ later }}) * 0.000001",
        "extract(epoch from {{ later }} - {{ earlier }})",
    ),
    "trimmed": ("trim(both ' ' from {{ expression }})", "trim({{ expression }})"),
    "in_reporting_timezone": ("{{ var('reporting_timezone') }}' as timestamp", "UTC' as timestamp"),
}


def test_values(database: AppDatabase, tmp_path: Path) -> None:
    """Names, ids, halves, fractions of a second, both changes of the clocks."""
    in_postgres = values_of_postgres(database)
    in_duckdb = values_of_duckdb(tmp_path / "app.duckdb")
    assert len(in_postgres) == len(quirks())
    assert differing_values(in_postgres, in_duckdb) == {}


def differing_values(in_postgres: list[Row], in_duckdb: list[Row]) -> dict[str, tuple]:
    """By macro, the last row on which it answers otherwise, in type or value."""
    return {
        name: (given, ours[name], theirs[name])
        for given, ours, theirs in zip(quirks(), in_postgres, in_duckdb, strict=True)
        for name in ours
        if (type(ours[name]), ours[name]) != (type(theirs[name]), theirs[name])
    }


# Quotients of more digits than a float has, by which DuckDB divides.
MORE_DIGITS = ("quotient_7", "quotient_8", "quotient_12", "rate_7", "rate_8", "rate_12")


def test_expressions(database: AppDatabase) -> None:
    """What engines read in different ways, one expression at a time."""
    in_postgres = answers_of_postgres(database)
    with duckdb.connect() as connection, patch.dict(os.environ, DUCKDB_PATH="app.duckdb"):
        connection.execute("set timezone = 'UTC'")
        in_duckdb = answers(
            lambda query: list(connection.execute(query).fetchone()),
            arguments=("--target", "duckdb"),
            manifest=parsed_for_duckdb(),
            target=target_of_duckdb(),
        )
    assert len(in_postgres) > 600
    found = dict(each.split(":", 1) for each in disagreements(in_postgres, in_duckdb))
    assert list(found) == sorted(MORE_DIGITS, key=list(in_postgres).index), found


@pytest.mark.long
def test_faults_show(database: AppDatabase, tmp_path: Path) -> None:
    """Each of these forms, which every engine takes in silence, makes a value differ."""
    in_postgres = values_of_postgres(database)
    for macro, (sound, faulty) in FAULTS.items():
        project = tmp_path / macro
        project.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
            copy(PROJECT / part, project / part)
        path = project / "macros" / "dialect" / f"{macro}.sql"
        assert path.read_text().count(sound) == 1, macro
        path.write_text(path.read_text().replace(sound, faulty))
        in_duckdb = values_of_duckdb(project / "app.duckdb", project)
        assert differing_values(in_postgres, in_duckdb), f"no value tells {macro}"


@pytest.mark.long
@pytest.mark.skipif(not sample.FOLDER.is_dir(), reason=f"the sample is not at {sample.FOLDER}")
def test_sample(database: AppDatabase, tmp_path: Path) -> None:
    """The contract's sample, whose answers are known."""
    given = sample.app_tables(), {"as_of": sample.AS_OF.isoformat()}, computed(1)
    build_on_postgres(database, *given)
    build_on_duckdb(tmp_path / "app.duckdb", *given)
    assert_engines_agree(database, tmp_path / "app.duckdb")
