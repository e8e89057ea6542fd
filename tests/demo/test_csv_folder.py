"""A folder of CSV files becomes the app's tables, whole or not at all."""

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo import csv_folder
from tests.app_database import PROJECT, AppDatabase

SAMPLE = PROJECT.parent / "shared" / "data" / "sample"
EMPTY = {
    "credit_transactions": "id,transaction_type,credits_used,created_at\n",
    "enhancement_tasks": "id,enhancement_type,created_at\n",
    "user_credits": "user_id,subscription_tier\n",
}
TASK = "00000000-0000-0000-0000-000000000001"


def load(database: AppDatabase, folder: Path) -> datetime:
    files = csv_folder.find_files(folder)
    with database.connect() as connection:
        connection.autocommit = False
        with connection, connection.cursor() as cursor:
            return csv_folder.load(cursor, files, lambda raw, path: raw)


def write(folder: Path, **tables: str) -> Path:
    for table, text in (EMPTY | tables).items():
        (folder / f"{table}.csv").write_text(text)
    return folder


@pytest.mark.skipif(not SAMPLE.is_dir(), reason=f"no sample data in {SAMPLE}")
def test_the_sample_arrives_whole(database: AppDatabase) -> None:
    assert load(database, SAMPLE) == datetime(2024, 12, 4, tzinfo=UTC)
    for table, path in csv_folder.find_files(SAMPLE).items():
        with gzip.open(path, "rt", newline="") as lines:
            rows = sum(1 for _ in csv.DictReader(lines))
        assert database.query(f"select count(*) as n from {table}") == [{"n": rows}], table


def test_columns_go_by_header_and_unknown_ones_are_kept(
    database: AppDatabase, tmp_path: Path
) -> None:
    tasks = f"created_at,id,enhancement_type,mood\n2025-01-31T23:00:00Z,{TASK},style,calm\n"
    end = load(database, write(tmp_path, enhancement_tasks=tasks))
    assert end == datetime(2025, 2, 1, tzinfo=UTC)
    assert database.query("select id, enhancement_type, mood from enhancement_tasks") == [
        {"id": TASK, "enhancement_type": "style", "mood": "calm"}
    ]


def test_what_cannot_be_loaded_is_named(database: AppDatabase, tmp_path: Path) -> None:
    tasks = f"id,enhancement_type,created_at\n{TASK},style,yesterday noon\n"
    with pytest.raises(ValueError, match=r"enhancement_tasks\.csv: .*line 1, column created_at"):
        load(database, write(tmp_path, enhancement_tasks=tasks))
    with pytest.raises(ValueError, match="no task and no ledger row"):
        load(database, write(tmp_path))
    (tmp_path / "user_credits.csv").unlink()
    with pytest.raises(ValueError, match=r"neither user_credits\.csv nor user_credits\.csv\.gz"):
        load(database, tmp_path)
    with pytest.raises(ValueError, match="no folder"):
        load(database, tmp_path / "absent")
