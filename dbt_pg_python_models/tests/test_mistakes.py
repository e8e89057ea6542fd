"""What a model must not return or do: a clear error, and the table of the last run still serves."""

import re
from pathlib import Path

import pytest
from dbt_project import DbtProject
from servers import Server

# Model name: the body of `model`, and what dbt must say of it.
BAD = {
    "duplicate_names": (
        "return pd.DataFrame([[1, 2]], columns=['a', 'a'])",
        "more than one column is named 'a'",
    ),
    "empty_name": ("return pd.DataFrame({'': [1]})", "column name '' is empty"),
    "number_name": ("return pd.DataFrame([[1]])", "column name 0 is int, not text"),
    "nul_name": ("return pd.DataFrame({'a\\0': [1]})", "holds a NUL"),
    "long_name": ("return pd.DataFrame({'a' * 64: [1]})", "longer than PostgreSQL's 63 bytes"),
    "named_index": (
        "return pd.DataFrame({'a': [1], 'n': [2]}).groupby('a').sum()",
        "the index (a) would be lost: return frame.reset_index()",
    ),
    "mixed_types": (
        "return pd.DataFrame({'x': [1, None, 'two', 3.0]})",
        "column 'x': holds values of different types: int (row 0), str (row 2), float (row 3)",
    ),
    "mixed_zones": (
        "return pd.DataFrame({'x': pd.Series([datetime(2024, 1, 1), "
        "datetime(2024, 1, 1, tzinfo=UTC)], dtype=object)})",
        "datetime without time zone (row 0), datetime with time zone (row 1)",
    ),
    "dicts": ("return pd.DataFrame({'x': [{'a': 1}]})", "column 'x': holds dicts: declare"),
    "structs": ("return pa.table({'x': [{'a': 1}]})", "column 'x': holds dicts: declare"),
    "complex_numbers": ("return pd.DataFrame({'x': [1j]})", "column 'x': "),
    "nul_in_text": (
        "return pd.DataFrame({'x': ['ok', 'a\\0b']})",
        "column 'x': the text in row 1 holds a NUL character",
    ),
    "lone_surrogate": (
        "return pd.DataFrame({'x': pd.Series(['\\ud800'], dtype=object)})",
        "column 'x': 'utf-8' codec can't encode character",
    ),
    "integer_over_64_bit": (
        "return pd.DataFrame({'x': [1, 2**63]}, dtype=object)",
        "column 'x': the integer 9223372036854775808 in row 1 needs more than 64 bits",
    ),
    "nanoseconds": (
        "return pd.DataFrame({'x': pd.to_datetime(['2024-01-01T00:00:00.000000001'])})",
        "column 'x': Casting from timestamp[ns] to timestamp[us] would lose data",
    ),
    "nanoseconds_in_object": (
        "return pd.DataFrame({'x': pd.Series([pd.Timestamp('2024-01-01T00:00:00.000000001')], "
        "dtype=object)})",
        "column 'x': row 0 holds nanoseconds",
    ),
    "fraction_declared_integer": (
        "return pd.DataFrame({'declared_integer': [1.5]})",
        "column 'declared_integer': Float value 1.500000 was truncated",
    ),
    "infinity_declared_integer": (
        "return pd.DataFrame({'declared_integer': [float('inf')]})",
        "column 'declared_integer': Float value inf was truncated",
    ),
    "time_declared_date": (
        "return pd.DataFrame({'declared_date': pd.to_datetime(['2024-01-01 12:00'])})",
        "column 'declared_date': row 0 has a time of day, which its type, date, would lose",
    ),
    "text_declared_integer": (
        "return pd.DataFrame({'declared_integer': ['one']})",
        'invalid input syntax for type integer: "one"',
    ),
    "number_too_wide": (
        "return pd.DataFrame({'declared_numeric': [Decimal('12345.67')]})",
        "numeric field overflow",
    ),
    "nan_declared_jsonb": (
        "return pd.DataFrame({'declared_jsonb': [{'a': float('nan')}]})",
        "column 'declared_jsonb': Out of range float values are not JSON compliant",
    ),
    "missing_declared_column": (
        "return pd.DataFrame({'x': [1]})",
        "the model's YAML has the columns declared_integer, which the model did not return",
    ),
    "contract_extra_column": (
        "return pd.DataFrame({'x': [1], 'y': [1]})",
        "the model returned the columns y, which its YAML does not have",
    ),
    "unknown_declared_type": (
        "return pd.DataFrame({'x': [1]})",
        'type "integr" does not exist',
    ),
    "zero_columns": ("return pd.DataFrame()", "the model returned a table without columns"),
    "text": ("return 'done'", "a model returns a pandas DataFrame, a pyarrow Table or a generator"),
    "nothing": ("return None", "not NoneType"),
    "series": ("return pd.Series([1])", "not Series"),
    "raises": (
        "return 1 / 0",
        "ZeroDivisionError: division by zero\n    at models/raises.py:8: return 1 / 0",
    ),
    "exits": ("return sys.exit('bye')", "SystemExit: bye\n    at models/exits.py:8"),
    "interrupts": ("raise KeyboardInterrupt\n    return None", "KeyboardInterrupt"),
    "bad_sql": (
        "return session.sql('select nope')",
        'column "nope" does not exist',
    ),
    "duplicate_in_query": (
        "return session.sql('select 1 as a, 2 as a')",
        "the query returns more than one column named a",
    ),
    "infinite_date": (
        "return session.sql(\"select 1 as a, date 'infinity' as day\")",
        "column 'day' (date) holds 'infinity', which pandas cannot represent exactly",
    ),
    "infinite_timestamp": (
        "return session.sql(\"select timestamptz '-infinity' as at\")",
        "column 'at' (timestamp with time zone) holds '-infinity'",
    ),
    "date_before_christ": (
        "return session.sql(\"select date '0044-03-15 BC' as day\")",
        "column 'day' (date) holds '0044-03-15 BC'",
    ),
    "far_future": (
        "return session.sql(\"select timestamp '20000-01-01' as at\")",
        "column 'at' (timestamp without time zone) holds '20000-01-01",
    ),
    "midnight_at_the_end": (
        "return session.sql(\"select time '24:00' as at\")",
        "column 'at' (time without time zone) holds '24:00:00'",
    ),
    "months": (
        "return session.sql(\"select interval '1 month' as span\")",
        "column 'span' (interval) holds '1 mon'",
    ),
    "too_many_rows": (
        "return session.sql('select * from generate_series(1, 11) as x')",
        "the query returns more than 10 rows; read fewer columns or rows",
    ),
    "too_many_megabytes": (
        "return session.sql(\"select repeat('x', 100000) from generate_series(1, 100)\")",
        "the query returns more than 1 megabytes",
    ),
    "unknown_option": ("return None", "python_job_config has no option rows"),
    "wrong_option": ("return None", "numeric is 'exact' or 'float', not 'double'"),
    "half_the_batches": (
        "def batches():\n        yield pd.DataFrame({'x': [1]})\n        raise OSError('disk')\n"
        "    return batches()",
        "OSError: disk\n    at models/half_the_batches.py:10: raise OSError('disk')",
    ),
    "no_batches": ("return (frame for frame in [])", "the model yielded nothing"),
    "batches_of_other_columns": (
        "return (pd.DataFrame({name: [1]}) for name in 'xy')",
        "a batch has the columns ['y'], the batches before ['x']",
    ),
    "batches_of_other_types": (
        "return (pd.DataFrame({'x': [value]}) for value in (1, 'a'))",
        "column 'x' is bigint in one batch and text in another",
    ),
    "missing_library": (
        "import not_there\n    return None",
        "ModuleNotFoundError: No module named 'not_there'\n    at models/missing_library.py:8",
    ),
    "missing_package": ("return None", "the model needs not-there>=2, which is not installed"),
    "old_package": ("return None", "the model needs pandas<1, but "),
    "reads_ephemeral": (
        "upstream = dbt.ref('ephemeral')\n    return upstream",
        "cannot read an ephemeral model (model.runtime.ephemeral)",
    ),
    "as_view": ("return None", "only supports languages ['sql']"),
}

CONFIG = {
    "too_many_rows": "python_job_config={'max_rows': 10}",
    "too_many_megabytes": "python_job_config={'max_megabytes': 1}",
    "contract_extra_column": "python_job_config={'contract': True}",
    "unknown_option": "python_job_config={'rows': 10}",
    "wrong_option": "python_job_config={'numeric': 'double'}",
    "missing_package": "packages=['not-there>=2']",
    "old_package": "packages=['pandas<1']",
    "as_view": "materialized='view'",
}
CODE = """\
import sys
from datetime import UTC, datetime
from decimal import Decimal
import pandas as pd
import pyarrow as pa
def model(dbt, session):
    {config}
    {body}
"""
DECLARED = {
    "declared_integer": "integer",
    "declared_date": "date",
    "declared_numeric": "numeric(6, 2)",
    "declared_jsonb": "jsonb",
}


@pytest.fixture(scope="module")
def failures(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What dbt says of each model, after one run of all of them over an older table of each."""
    folder: Path = tmp_path_factory.mktemp("bad_input")
    project = DbtProject.create(server, folder)
    project.execute("create schema marts")
    project.write("models/ephemeral.sql", "{{ config(materialized='ephemeral') }} select 1 as x")
    for name, (body, _) in BAD.items():
        config = f"dbt.config({CONFIG[name]})" if name in CONFIG else "pass"
        columns = [
            {"name": column, "data_type": type_name}
            for column, type_name in DECLARED.items()
            if f"'{column}'" in body
        ]
        if name == "missing_declared_column":
            columns = [{"name": "declared_integer", "data_type": "integer"}]
        if name == "unknown_declared_type":
            columns = [{"name": "x", "data_type": "integr"}]
        if name == "contract_extra_column":
            columns = [{"name": "x"}]
        project.write(f"models/{name}.py", CODE.format(config=config, body=body))
        if columns:
            project.model(name, CODE.format(config=config, body=body), columns=columns)
        project.execute(f"create table marts.{name} as select 'old' as kept")
    results = project.dbt("run").result.results
    return {
        "project": project,
        "messages": {result.node.name: result.message for result in results},
    }


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_and_harmless(name: str, failures: dict) -> None:
    """The message says what and where, and the old table is as it was."""
    assert BAD[name][1] in failures["messages"][name]
    assert f"models/{name}.py" in failures["messages"][name] or name == "as_view"
    assert failures["project"].query(f"select kept from marts.{name}") == [("old",)]


def test_failures_leave_nothing(failures: dict) -> None:
    """No staging table, and no connection still in a transaction."""
    assert failures["project"].tables() == set(BAD)
    assert not failures["project"].query(
        "select query from pg_stat_activity where datname = current_database()"
        " and state like 'idle in transaction%'"
    )


def test_a_killed_server_is_a_database_error(dbt_project: DbtProject) -> None:
    """As when PostgreSQL goes away under a model."""
    dbt_project.model(
        "killed",
        """
        def model(dbt, session):
            pid = session.sql("select pg_backend_pid() as pid").pid[0]
            return session.sql(f"select pg_terminate_backend({pid})")
        """,
    )
    message = dbt_project.error("killed")
    assert re.search("terminating connection|closed the connection", message)
    assert "models/killed.py:3" in message


def test_a_microbatch_is_refused(dbt_project: DbtProject) -> None:
    """dbt reports each batch on its own, in the log only."""
    dbt_project.model(
        "microbatch",
        """
        def model(dbt, session):
            dbt.config(materialized="incremental", incremental_strategy="microbatch",
                       event_time="x", begin="2026-01-01", batch_size="year")
            return None
        """,
    )
    dbt_project.error("microbatch")
    log = (dbt_project.folder / "logs" / "dbt.log").read_text()
    assert "A Python model cannot be a microbatch" in log


def test_autocommit_is_refused(server: Server, tmp_path: Path) -> None:
    """Without a transaction a failure would leave its remains behind."""
    project = DbtProject.create(server, tmp_path, autocommit=True)
    project.model("any_model", "def model(dbt, session):\n    return None\n")
    assert "remove `autocommit: true` from the profile" in project.error("any_model")
