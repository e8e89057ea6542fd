"""The marts of a second engine are PostgreSQL's: the SQL means the same there."""

from pathlib import Path

import pytest

from tests import sample
from tests.app_database import AppDatabase
from tests.dialect.quirks import with_quirks
from tests.dialect.second_engine import assert_engines_agree
from tests.histories import load, write_histories
from tests.marts.test_oracle import CASES, MOMENTS
from tests.oracle import AppTables
from tests.table_shapes import loosen


def build(database: AppDatabase, tables: AppTables, variables: dict) -> None:
    """Build PostgreSQL's marts."""
    loosen(database)
    load(database, tables)
    database.dbt("seed")
    database.dbt("run", variables=variables)


IN_THE_GATE = "auckland_narrow_windows"


@pytest.mark.parametrize(
    "case",
    [case if case == IN_THE_GATE else pytest.param(case, marks=pytest.mark.long) for case in CASES],
)
def test_drawn_histories(database: AppDatabase, tmp_path: Path, case: str) -> None:
    """Rows with every defect and what engines read in different ways, in four timezones."""
    seed = 40 + list(CASES).index(case)
    tables = with_quirks(write_histories(seed, MOMENTS), seed)
    variables = CASES[case].dbt_variables()
    build(database, tables, variables)
    assert_engines_agree(database, tables, variables, tmp_path)


@pytest.mark.long
@pytest.mark.skipif(not sample.FOLDER.is_dir(), reason=f"the sample is not at {sample.FOLDER}")
def test_sample(database: AppDatabase, tmp_path: Path) -> None:
    """The contract's sample, whose answers are known."""
    variables = {"as_of": sample.AS_OF.isoformat()}
    build(database, sample.app_tables(), variables)
    assert_engines_agree(database, sample.app_tables(), variables, tmp_path)
