"""Apache Spark answers as PostgreSQL does: expression by expression, and mart by mart."""

import os
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event, Timer
from typing import Any
from unittest.mock import patch

import pyarrow.parquet
import pytest

from local_postgres.server import Server
from local_spark.cluster import Cluster
from tests import sample
from tests.app_database import PROJECT, AppDatabase, messages
from tests.conftest import make_database
from tests.dialect.expressions import answers, answers_of_postgres, disagreements
from tests.dialect.quirks import with_quirks
from tests.dialect.second_engine import types_in_postgres
from tests.dialect.test_engines import IN_THE_GATE
from tests.dialect.values import SQL, TYPES, quirks, values_of_postgres
from tests.docs.documents import snippets
from tests.histories import load, write_histories
from tests.marts.test_oracle import CASES, MOMENTS
from tests.setup.test_your_own_database import run
from tests.spark import engine
from tests.table_shapes import loosen

pytestmark = pytest.mark.spark


def test_expressions(database: AppDatabase, cluster: Cluster) -> None:
    """What engines read in different ways, value by value, of the same kinds."""
    with engine.cursor_of(cluster) as cursor, patch.dict(os.environ, cluster.environment()):
        in_spark = answers(
            lambda query: list(engine.answer(cursor, query)[0]),
            json_text="to_json({0})",
            arguments=("--target", "spark"),
            manifest=engine.parsed_for_spark(),
            target=engine.target(),
        )
    found = list(disagreements(answers_of_postgres(database), in_spark))
    assert not found, "\n".join(found)
    print(len(in_spark), "expressions are equal")


def test_values(database: AppDatabase, cluster: Cluster) -> None:
    """Names, ids, halves, fractions of a second, both changes of the clocks: rows of a table."""
    in_postgres = values_of_postgres(database)
    engine.make_table(cluster, "public.quirks", TYPES, quirks())
    in_spark = engine.values_of_spark(cluster, SQL)
    assert len(in_postgres) == len(in_spark) == len(quirks())
    differing = {
        name: (given, ours[name], theirs[name])
        for given, ours, theirs in zip(quirks(), in_postgres, in_spark, strict=True)
        for name in ours
        if engine.plain(ours[name]) != engine.plain(theirs[name])
    }
    assert differing == {}


@pytest.mark.skipif(not sample.FOLDER.is_dir(), reason=f"the sample is not at {sample.FOLDER}")
def test_sample(server: Server, database: AppDatabase, cluster: Cluster) -> None:
    """The contract's sample into Spark and out again, by the commands of the documents.

    What Spark builds is what PostgreSQL builds itself, and so is what is published of it.
    """
    tables, variables = sample.app_tables(), {"as_of": sample.AS_OF.isoformat()}
    engine.build_on_both(database, cluster, tables, variables)
    said = document_command("make spark-load TO=/data/app", cluster, database)
    rows = sum(len(rows) for rows in vars(tables).values())
    assert f"0 rows were read and {rows:,} are as they were" in said
    found = engine.differences(database, cluster)
    assert not found, "\n\n".join(found)
    with engine.cursor_of(cluster) as cursor:
        cursor.execute("show tables in analytics like 'fct_generations__v*'")
        assert len(cursor.fetchall()) <= 2
    published = make_database(server, "published")
    for _ in range(2):
        said = document_command("make spark-publish", cluster, published)
        assert "rows of Spark's marts are in schema analytics of PostgreSQL" in said
        assert not engine.published_differences(database, published)
    assert not [*(cluster.folder / "app").glob("published*")]
    assert_faults_are_found(database, cluster, variables)


def assert_faults_are_found(
    database: AppDatabase, cluster: Cluster, variables: dict[str, Any]
) -> None:
    """A row that should not be fails the same tests on both; of a build, readers see nothing."""
    columns = {name: name for name in types_in_postgres(database, "analytics.daily_usage")}
    columns |= {"enhancement_type": "'mosaic'", "generations": "generations + 1"}
    fault = f"select {', '.join(columns.values())} from analytics.daily_usage"
    fault += " order by usage_date, provider, enhancement_type limit 1"
    with engine.cursor_of(cluster) as cursor:
        database.execute(f"insert into analytics.daily_usage {fault}")
        cursor.execute(f"insert into analytics.{version_read(cursor, 'daily_usage')} {fault}")
        before = version_read(cursor, "monthly_usage")
        for command in (("test", "-s", "daily_usage"), ("build", "-s", "monthly_usage")):
            given = [*command, "--exclude", "resource_type:unit_test"]
            in_spark = engine.dbt_on_spark(cluster, *given, variables=variables)
            in_postgres = database.dbt(*given, variables=variables, expect_success=False)
            found = engine.outcomes(in_spark)
            assert found == engine.outcomes(in_postgres)
            assert "fail" in [status for status, _ in found.values()]
        assert version_read(cursor, "monthly_usage") == before


def version_read(cursor: Any, mart: str) -> str:
    """The version of a mart that readers have."""
    cursor.execute(f"show tblproperties analytics.{mart} ('paygen.version')")
    [(_, version)] = cursor.fetchall()
    return version


def document_command(command: str, cluster: Cluster, database: AppDatabase) -> str:
    """What a command of docs/spark.md does after its set-up; its folder is one that is there."""
    assert any(
        command in snippet.text for snippet in snippets() if snippet.document == "docs/spark.md"
    )
    recipe = run(PROJECT, f"make --dry-run {command.removeprefix('make ')}").replace("\\\n", "")
    [step] = [line for line in recipe.splitlines() if "spark_io" in line]
    step = step.replace("/data/app", str(cluster.folder / "app"))
    return run(PROJECT, step, **database.environment(), **cluster.environment())


def test_files_that_are_gone(database: AppDatabase, cluster: Cluster) -> None:
    """A run does not build of a snapshot that lacks a month, or has a damaged one; a load mends it.

    Of the snapshot of the test before.
    """
    loosen(database)
    load(database, sample.app_tables())
    engine.spark_io(cluster, database, "load", "--to", str(cluster.folder / "app"))
    [month, *_] = sorted((cluster.folder / "app" / "enhancement_tasks").glob("2024-*"))
    staging = ("run", "-s", "stg_app__enhancement_tasks")
    month.rename(cluster.folder / "gone")
    result = engine.dbt_on_spark(cluster, *staging, variables={})
    assert "files of it are gone, and `make spark-load` brings them back" in str(result.exception)
    engine.spark_io(cluster, database, "load", "--to", str(cluster.folder / "app"))
    [file] = month.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:1000] + bytes(100) + whole[1100:])
    result = engine.dbt_on_spark(cluster, *staging, variables={})
    assert not result.success
    assert f"{month.name}/{file.name}" in messages(result)
    file.write_bytes(whole)
    result = engine.dbt_on_spark(cluster, *staging, variables={})
    assert result.success, messages(result)


def test_unknown_zone(cluster: Cluster) -> None:
    """A zone that Java does not know is refused as one that PostgreSQL does not know."""
    result = engine.dbt_on_spark(
        cluster, "run", "-s", "int_rows_seen", variables={"reporting_timezone": "Mars/Olympus"}
    )
    assert not result.success
    assert "Mars/Olympus" in str(result.exception)


def test_server_is_down(cluster: Cluster) -> None:
    """Nobody listens: the error names the address."""
    down = Cluster("127.0.0.1", 1, cluster.folder, {})
    result = engine.dbt_on_spark(down, "run", "-s", "int_rows_seen", variables={})
    assert not result.success
    assert "127.0.0.1" in str(result.exception)


def test_the_tables_of_the_document(cluster: Cluster) -> None:
    """The statements by which folders of Parquet and CSV are read as tables of the app's."""
    folder = cluster.folder / "bucket"
    for table in ("enhancement_tasks", "user_credits"):
        (folder / table).mkdir(parents=True)
    tasks = pyarrow.table({"id": ["a", "b"]})
    pyarrow.parquet.write_table(tasks, folder / "enhancement_tasks" / "part-0.parquet")
    balances = 'user_id,current_balance,subscription_tier\na,0.000000000001,\nb,,"pl,us"\n'
    (folder / "user_credits" / "part-0.csv").write_text(balances)
    (sql,) = (
        each.text
        for each in snippets()
        if (each.document, each.section) == ("docs/spark.md", "Exports of your own")
        and each.language == "sql"
    )
    assert "s3a://bucket/" in sql
    sql = sql.replace("s3a://bucket/", f"{folder}/")
    with engine.cursor_of(cluster) as cursor:
        for statement in filter(str.strip, sql.split(";")):
            cursor.execute(statement)
        assert engine.answer(cursor, "select count(*) from public.enhancement_tasks") == [(2,)]
        assert sorted(engine.answer(cursor, "select * from public.user_credits")) == [
            ("a", Decimal("0.000000000001"), None),
            ("b", None, "pl,us"),
        ]
        (folder / "user_credits" / "part-0.csv").write_text(balances.replace("0.0", "much"))
        with pytest.raises(Exception, match=r"MALFORMED_RECORD|FAILED_READ_FILE"):
            engine.answer(cursor, "select * from public.user_credits")
        for table in ("enhancement_tasks", "user_credits"):
            cursor.execute(f"drop table public.{table}")


def test_drawn_histories(database: AppDatabase, cluster: Cluster) -> None:
    """Rows with every defect, contested charges, texts and times of every kind; a zone not UTC."""
    seed = 50 + list(CASES).index(IN_THE_GATE)
    tables = with_quirks(write_histories(seed, MOMENTS), seed)
    variables = CASES[IN_THE_GATE].dbt_variables()
    engine.build_on_both(database, cluster, tables, variables)
    found = engine.differences(database, cluster)
    assert not found, "\n\n".join(found)


def test_lost_worker_and_reader(cluster: Cluster) -> None:
    """A worker is killed in mid-build: it ends right, and a reader meets all rows all the time.

    The last test, of the rows of the one before: the cluster has one worker from here on.
    """
    count = "select count(*), sum(credits_used) from analytics.fct_generations"
    seen: set[tuple[object, ...]] = set()
    is_done = Event()

    def read() -> None:
        with engine.cursor_of(cluster) as cursor:
            while not is_done.is_set():
                seen.update(engine.answer(cursor, count))

    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(read)
        try:
            Timer(8, cluster.processes["worker-1"].kill).start()
            result = engine.dbt_on_spark(
                *(cluster, "run", "-s", "int_refunds_matched", "fct_generations"),
                variables=CASES[IN_THE_GATE].dbt_variables(),
            )
        finally:
            is_done.set()
        reading.result()
    assert result.success, messages(result)
    assert cluster.processes["worker-1"].poll() is not None
    assert len(seen) == 1
