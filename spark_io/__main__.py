"""`python -m spark_io load` and `publish`: the app's tables into Spark, its marts back."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from local_postgres.databases import BUILD_ROLE
from reader.libpq import use_demo_by_default
from reader.problems import ENDINGS, Problem, told
from reader.progress import shown_progress
from spark_io import load, project, publish, spark
from spark_io.app_tables import AppTable, check_server
from spark_io.store import Store


def main(arguments: Sequence[str] | None = None, ask: project.Ask | None = None) -> int:
    """Run a command; answer the exit code: 0, or 1 after a sentence."""
    options = _parser().parse_args(arguments)
    try:
        use_demo_by_default(BUILD_ROLE)
        options.run(options, ask or project.ask_of(options.target))
    except ENDINGS as error:
        return told(error, options.left)
    return 0


def load_tables(options: argparse.Namespace, ask: project.Ask) -> None:
    """Bring the folder, and Spark, to what the app's tables are now."""
    if not options.to:
        raise Problem("Name the folder: make spark-load TO=folder, or TO=s3://bucket/folder.")
    store = Store(options.to)
    check_server()
    answer = ask("tables_to_load()")
    tables = [AppTable.of(table) for table in answer["tables"]]
    with shown_progress() as tell:
        loaded = load.load(store, tables, tell)
    print(
        f"{loaded.rows_read:,} rows were read and {loaded.rows_kept:,} are as they were, as of"
        f" {loaded.snapshot.taken_at}."
    )
    if not loaded.is_new:
        print("Nothing changed: it is the snapshot of the load before.")
    if not os.environ.get("SPARK_HOST"):
        print("next: set SPARK_HOST and SPARK_PORT, and load again, to have Spark read it.")
        return
    with spark.connected() as session:
        session.use(store, loaded.snapshot, answer["schema"])
    print("next: dbt build --target spark --exclude resource_type:unit_test")


def publish_marts(options: argparse.Namespace, ask: project.Ask) -> None:
    """Copy Spark's marts into PostgreSQL."""
    check_server()
    with spark.connected() as session:
        answer = ask("marts_to_publish()")
        known = session.snapshot(answer["snapshot_schema"])
        folder = options.via or (known[1] if known else "")
        if not folder:
            raise Problem(
                "Name a folder that Spark and this machine reach, for the rows in between:"
                " make spark-publish VIA=folder."
            )
        store = Store(folder)
        with shown_progress() as tell:
            rows = publish.publish(session, store, options.schema, answer, tell)
    print(f"{rows:,} rows of Spark's marts are in schema {answer['schema']} of PostgreSQL.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m spark_io",
        description="The app's tables into Apache Spark, and its marts back into PostgreSQL, which"
        " libpq's variables name (PGHOST, PGUSER, PGDATABASE, ...), else the demo's.",
    )
    commands = parser.add_subparsers(required=True)
    into = commands.add_parser(
        "load",
        help="a snapshot of the app's tables as Parquet by month, of which only months that changed"
        " are read",
    )
    into.add_argument("--to", metavar="FOLDER", help="folder, or s3://bucket/folder, of the files")
    into.set_defaults(run=load_tables, left="no snapshot was made; load again, it goes on")
    out = commands.add_parser(
        "publish", help="copy Spark's marts back into PostgreSQL, in one transaction"
    )
    out.add_argument(
        "--via",
        metavar="FOLDER",
        help="folder that Spark and this machine reach (that of the last load)",
    )
    out.add_argument(
        "--schema", default="analytics", help="schema of the marts on Spark (analytics)"
    )
    out.set_defaults(run=publish_marts, left="the marts in PostgreSQL are as they were")
    for command in (into, out):
        command.add_argument(
            "--target", default="prod", help="target of profiles.yml that is PostgreSQL (prod)"
        )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
