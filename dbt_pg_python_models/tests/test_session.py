"""What a model reads: pandas types, batches, its own transaction and settings."""

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.postgres import Postgres
from dbt_pg_python_models.session import Session
from dbt_pg_python_models.settings import Settings
from dbt_pg_python_models.spool import Spool
from dbt_project import DbtProject
from servers import Server

from dbt_pg_python_models import reading


@pytest.fixture
def session(dbt_project: DbtProject) -> Iterator[Session]:
    """A session on a connection of its own."""
    with dbt_project.connect() as cursor:
        yield Session(Postgres(cursor.connection), Settings())


def test_pandas_types(session: Session) -> None:
    """The same whatever the data, so that a model does not break on the first null."""
    every = """
        select 1::int2 as small, 1 as int, 1::int8 as big, 1::real as real, 1::float8 as double,
            1.5 as exact, true as flag, 'x' as text, date '2024-01-01' as day, time '1:00' as hour,
            timestamp '2024-01-01' as local, timestamptz '2024-01-01' as at,
            interval '1 day' as span, '\\x00'::bytea as raw, array[1, null] as list
    """
    expected = {
        **{"small": "Int16", "int": "Int32", "big": "Int64", "real": "float32"},
        **{"double": "float64", "exact": "object", "flag": "boolean", "text": "str"},
        **{"day": "object", "hour": "object", "local": "datetime64[us]"},
        **{"at": "datetime64[us, UTC]", "span": "timedelta64[us]", "raw": "object"},
        "list": "object",
    }
    for query in (every, f"select * from ({every}) as none where int > 1"):
        frame = session.sql(query)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == expected
    values = session.sql(every).iloc[0]
    assert values.exact == Decimal("1.5")
    assert values.day == datetime.date(2024, 1, 1)
    assert (values.raw, values.list) == (b"\0", [1, None])


def test_numeric_as_float(dbt_project: DbtProject) -> None:
    """For models that compute: `numeric: float`."""
    with dbt_project.connect() as cursor:
        frame = Session(Postgres(cursor.connection), Settings(numeric="float")).sql(
            "select 1.5 as x"
        )
    assert frame.x.dtype == "float64"


def test_batches_are_the_rows_in_order(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several at a time, while the same connection answers other queries."""
    monkeypatch.setattr(reading, "CHUNK_BYTES", 50)
    numbers = session.batches("select x, 'a' as a from generate_series(1, 100) as x order by x;")
    others = session.batches("select x from generate_series(1, 100) as x")
    seen = []
    for _, batch in zip(others, numbers, strict=False):
        seen += list(batch.x)
        assert session.sql("select 1 as one").one[0] == 1
    assert len(seen) > 20
    assert seen + [x for batch in numbers for x in batch.x] == list(range(1, 101))


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_a_batch_is_of_whole_rows(
    session: Session, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Of any length, with line ends in them, whatever is left of the buffer."""
    monkeypatch.setattr(reading, "CHUNK_BYTES", size)
    batches = session.batches("select repeat(E'a\n', x) as x from generate_series(0, 60) as x")
    assert [x for batch in batches for x in batch.x] == ["a\n" * x for x in range(61)]


def test_no_rows(session: Session) -> None:
    """An empty result keeps its columns, as one empty batch."""
    (batch,) = session.batches("select 1 as x where false -- and a comment")
    assert list(batch.columns) == ["x"]
    assert len(batch) == len(session.sql("select 1 as x where false")) == 0


def test_one_column_of_nulls_and_empty_strings(session: Session) -> None:
    """A line of CSV that is empty is a row."""
    frame = session.sql("select x from (values (null), (''), ('a'), (null)) as v (x)")
    assert [None if pd.isna(x) else x for x in frame.x] == [None, "", "a", None]


def test_a_closed_session_answers_no_more(session: Session) -> None:
    """So that a thread the model left behind cannot reach into dbt's connection."""
    batches = session.batches("select 1 as x")
    session.close()
    with pytest.raises(PythonModelError, match="the model has returned"):
        session.sql("select 1 as x")
    with pytest.raises(ValueError, match="closed file"):
        next(batches)


def test_a_limit_stops_the_query_and_spares_the_connection(dbt_project: DbtProject) -> None:
    """The rest of the rows is not transferred."""
    with dbt_project.connect() as cursor:
        session = Session(Postgres(cursor.connection), Settings(max_rows=10))
        with pytest.raises(PythonModelError, match="more than 10 rows"):
            session.sql("select repeat('x', 1000) from generate_series(1, 1000000)")
        assert session.sql("select 1 as x").x[0] == 1


def test_models_read_in_dbts_transaction(dbt_project: DbtProject) -> None:
    """They see what an uncommitted hook wrote, from several threads of their own."""
    dbt_project.execute("create table public.seen (x integer)")
    dbt_project.model(
        "threaded",
        """
        from concurrent.futures import ThreadPoolExecutor
        import pandas as pd

        def model(dbt, session):
            query = "select x, pg_backend_pid() as pid from public.seen"
            with ThreadPoolExecutor(4) as pool:
                frames = list(pool.map(session.sql, [query] * 8))
            return pd.concat(frames)
        """,
        config={"pre_hook": "insert into public.seen values (1)"},
    )
    dbt_project.run()
    assert dbt_project.query("select count(*), count(distinct pid) from marts.threaded") == [(8, 1)]


def test_connection_settings_are_dbts(server: Server, tmp_path: Path) -> None:
    """Role, search path and application name come from the profile, as for SQL models."""
    project = DbtProject.create(
        server, tmp_path, role="builder", search_path="marts, pg_catalog", application_name="paygen"
    )
    project.execute(
        "drop role if exists builder; create role builder;create schema marts authorization builder"
    )
    project.model(
        "settings",
        """
        def model(dbt, session):
            return session.sql("select current_user::text as role, current_setting('search_path')"
                               " as path, current_setting('application_name') as name")
        """,
    )
    project.run()
    assert project.query("select * from marts.settings") == [
        ("builder", "marts, pg_catalog", "paygen")
    ]


def test_models_return_arrow_and_generators(dbt_project: DbtProject) -> None:
    """Types are inferred from all batches: nulls at first, then wider integers."""
    dbt_project.model(
        "generated",
        """
        import pyarrow as pa

        def model(dbt, session):
            def batches():
                yield pa.table({"x": pa.nulls(2), "n": pa.array([1, 2], pa.int16())})
                for batch in session.batches("select 'text' as x, 70000 as n"):
                    yield batch
            return batches()
        """,
    )
    dbt_project.model(
        "arrow",
        """
        import decimal
        import pyarrow as pa

        def model(dbt, session):
            return pa.table({
                "u8": pa.array([255], pa.uint8()), "u64": pa.array([2**64 - 1], pa.uint64()),
                "half": pa.array([1.5], pa.float16()), "word": pa.array(["a"]).dictionary_encode(),
                "money": pa.array([decimal.Decimal("1.50")]), "raw": pa.array([b"a"]),
                "list": pa.array([[1, 2]]), "at": pa.array([0], pa.timestamp("s", "Asia/Tokyo")),
                "id": pa.array([bytes(16)], pa.uuid()), "day": pa.array([0], pa.date64()),
                "span": pa.array([1], pa.duration("s")), "hour": pa.array([1], pa.time32("s")),
            })
        """,
    )
    dbt_project.run()
    assert dbt_project.types("generated") == {"x": "text", "n": "integer"}
    assert dbt_project.query("select x, n from marts.generated order by n") == [
        (None, 1),
        (None, 2),
        ("text", 70000),
    ]
    assert dbt_project.query("select to_json(a)::text from marts.arrow as a") == [
        (
            '{"u8":255,"u64":18446744073709551615,"half":1.5,"word":"a","money":1.50,'
            '"raw":"\\\\x61","list":[1,2],"at":"1970-01-01T00:00:00+00:00",'
            '"id":"00000000-0000-0000-0000-000000000000","day":"1970-01-01",'
            '"span":"00:00:01","hour":"00:00:01"}',
        )
    ]


def test_empty_and_null_columns(dbt_project: DbtProject) -> None:
    """Declared type, else the table's, else the input column's, else text with a warning."""
    dbt_project.execute(
        "create schema marts; create table marts.empty (kept date);"
        "create table public.source (read numeric, declared integer)"
    )
    dbt_project.model(
        "empty",
        """
        def model(dbt, session):
            df = session.sql("select read, declared from public.source")
            for name in ("kept", "unknown", "declared", "read"):
                df[name] = None
            return df
        """,
        columns=[{"name": "declared", "data_type": "uuid"}],
    )
    dbt_project.run()
    assert dbt_project.types("empty") == {
        "read": "numeric",
        "declared": "uuid",
        "kept": "date",
        "unknown": "text",
    }
    log = (dbt_project.folder / "logs" / "dbt.log").read_text()
    assert "column 'unknown' of" in log
    assert "becomes text; declare its data_type" in log


def test_a_hundred_odd_columns(dbt_project: DbtProject) -> None:
    """Many columns, and names that need quoting."""
    dbt_project.model(
        "wide",
        """
        import pandas as pd

        def model(dbt, session):
            names = [f"n{i}" for i in range(97)] + ['a "b"', "select", "Ü %s {0}"]
            return pd.DataFrame({name: [1] for name in names})
        """,
    )
    dbt_project.run()
    dbt_project.model("again", "def model(dbt, session):\n    return dbt.ref('wide')\n")
    dbt_project.run("again")
    assert dbt_project.types("again") == dbt_project.types("wide")
    assert len(dbt_project.types("again")) == 100


def test_spooled_tables_may_differ() -> None:
    """Each keeps its own schema on disk."""
    with Spool() as spool:
        spool.append(pa.table({"x": [1]}))
        spool.append(pa.table({"y": ["a"]}))
        assert [table.to_pydict() for table in spool] == [{"x": [1]}, {"y": ["a"]}]
