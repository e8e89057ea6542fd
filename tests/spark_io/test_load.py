"""`make spark-load`: every row arrives as it is, and every change of one is found."""

import os
import resource
import signal
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from spark_io import load as loading
from spark_io.__main__ import main
from spark_io.app_tables import IMPOSSIBLE
from tests.app_database import AppDatabase
from tests.dialect.quirks import with_quirks
from tests.histories import load, load_rows, write_histories
from tests.marts.test_oracle import MOMENTS
from tests.spark_io.conftest import newest, read_back

TABLES = ("credit_transactions", "enhancement_tasks", "user_credits")
# What leaves the app's database: of a message whether there is one, of a result's address nothing.
COLUMNS = {
    "credit_transactions": (
        "id user_id transaction_type credits_used cost_usd provider enhancement_type"
        " api_request_id status created_at"
    ),
    "enhancement_tasks": (
        "id user_id provider status error_message cost_usd enhancement_type created_at"
        " completed_at failed_at updated_at"
    ),
    "user_credits": (
        "user_id current_balance consumed_this_month monthly_allowance subscription_tier updated_at"
    ),
}
EXTREMES = [
    {"created_at": "infinity", "cost_usd": "NaN", "provider": 'a "b"\n\\.\r,;\t'},
    {"created_at": "-infinity", "cost_usd": "1e30", "provider": ""},
    {"created_at": "0001-01-01 00:00:00+00", "cost_usd": "-1e30", "provider": "\\N"},
    {
        "created_at": "9999-12-31 23:59:59.999999+00",
        "cost_usd": "0.000000000001",
        "provider": "NULL",
    },
    {"created_at": "2024-01-31 23:59:59.999999+00", "cost_usd": "9999999999999999.999999999999"},
    {"created_at": "2024-02-01 00:00:00+00", "cost_usd": "-0", "provider": "\u2028\ufeff🍌"},
    {"created_at": None, "cost_usd": None, "provider": None},
]
HOLDS = {
    "NaN": Decimal(IMPOSSIBLE),
    "1e30": Decimal(IMPOSSIBLE),
    "-1e30": Decimal(-IMPOSSIBLE),
    "infinity": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    "-infinity": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31 23:59:59.999999+00": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}


def expected(table: str, rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    """Rows as Parquet must have them, from what was written into the app's table."""
    return Counter(
        tuple(value_of(name, row.get(name)) for name in COLUMNS[table].split()) for row in rows
    )


def value_of(name: str, value: Any) -> Any:
    """One value."""
    if name == "error_message":
        return value if value is None else "<text>"
    if name in ("consumed_this_month", "monthly_allowance"):
        return None if value is None else int(value)
    if name in ("cost_usd", "credits_used", "current_balance") and value is not None:
        value = HOLDS.get(str(value), value)
        return Decimal(value) if Decimal(value).is_finite() else Decimal(IMPOSSIBLE)
    if name.endswith("_at") and isinstance(value, str):
        return HOLDS.get(value) or datetime.fromisoformat(value)
    return value


def test_every_row_arrives(app: AppDatabase, command: Callable[..., Any], tmp_path: Path) -> None:
    """A drawn history with all defects and values at the limits, read back by DuckDB."""
    tables = with_quirks(write_histories(3, MOMENTS), 3)
    load(app, tables)
    template = dict.fromkeys(tables.enhancement_tasks[0])
    extremes = [
        {**template, "id": f"extreme-{number}", **each} for number, each in enumerate(EXTREMES)
    ]
    load_rows(app, "enhancement_tasks", extremes)
    given = {**vars(tables), "enhancement_tasks": [*tables.enhancement_tasks, *extremes]}
    code, said = command("load", "--to", tmp_path)
    assert code == 0, said
    for table in TABLES:
        assert read_back(tmp_path, table) == expected(table, given[table])
        assert list(newest(tmp_path).tables[table].columns) == COLUMNS[table].split()
    names = {part.name for part in newest(tmp_path).tables["enhancement_tasks"].parts}
    assert {"2024-01", "2024-02", "none", "other"} < names
    assert "\nNothing changed" in command("load", "--to", tmp_path)[1]


KINDS = (*["swap"] * 4, "update", "move", "insert", "delete", "replace", "repeat")


class History:
    """The app's tasks and ledger in months, changed at random; knows which months have to be read.

    What is drawn changes nothing else that could tell: neither times nor how many rows there are,
    unless that is what changes.
    """

    VALUES = (*("a", "b", "", None),)

    def __init__(self, app: AppDatabase, seed: int):
        self.app = app
        self.random = Random(seed)
        self.rows: dict[str, list[dict[str, Any]]] = {}
        for table in ("credit_transactions", "enhancement_tasks"):
            self.rows[table] = [self.row(table, number) for number in range(60)]

    def row(self, table: str, number: int) -> dict[str, Any]:
        """A row with few values, so that rows differ in one column only."""
        pick = self.random.choice
        row = dict.fromkeys(COLUMNS[table].split())
        return row | {
            "id": f"{table[0]}{number}",
            "user_id": pick(self.VALUES),
            "provider": pick(self.VALUES),
            "status": pick(self.VALUES),
            "cost_usd": pick([None, Decimal("0.1"), Decimal("0.2")]),
            "created_at": pick(
                [None, *(datetime(2024, month, 1, tzinfo=UTC) for month in range(1, 7))]
            ),
            **({"transaction_type": "deduction", "credits_used": 1} if table[0] == "c" else {}),
        }

    def change(self, kind: str) -> None:
        """One change of some kind."""
        table = self.random.choice(list(self.rows))
        rows = self.rows[table]
        one = self.random.choice(rows)
        name = self.random.choice(["user_id", "provider", "status", "cost_usd"])
        match kind:
            case "swap":  # two rows of a month exchange a value: sums of a column stay
                one, other = self.random.choice(
                    [
                        (one, other)
                        for one in rows
                        for other in rows
                        if one[name] != other[name] and one["created_at"] == other["created_at"]
                    ]
                )
                one[name], other[name] = other[name], one[name]
            case "update":
                one[name] = "new" if name != "cost_usd" else Decimal("0.3")
            case "move":
                one["created_at"] = datetime(2024, 7, 1, tzinfo=UTC)
            case "insert":
                rows.append(self.row(table, self.random.randrange(10**6)))
            case "delete":
                rows.remove(one)
            case "replace":  # as many rows as before
                rows.remove(one)
                rows.append(self.row(table, self.random.randrange(10**6)))
            case "repeat":
                rows.append(dict(one))

    def write(self) -> None:
        """Have the app's tables hold the rows."""
        for table, rows in self.rows.items():
            self.app.execute(f"truncate {table}")
            load_rows(self.app, table, rows)


def months(folder: Path) -> dict[tuple[str, str], Counter[tuple[Any, ...]]]:
    """The rows of each month of the snapshot, by table and month."""
    found: dict[tuple[str, str], Counter[tuple[Any, ...]]] = {}
    for table, loaded in newest(folder).tables.items():
        place = list(loaded.columns).index("created_at") if "created_at" in loaded.columns else None
        for row, count in read_back(folder, table).items():
            time = row[place] if place is not None else None
            found.setdefault((table, f"{time:%Y-%m}" if time else "none"), Counter())[row] += count
    return found


def test_every_change_is_found(
    app: AppDatabase, command: Callable[..., Any], tmp_path: Path
) -> None:
    """Whatever changed, the snapshot is the app's tables, and months that did not change stay."""
    app.execute("truncate user_credits")
    history = History(app, 1)
    history.write()
    assert command("load", "--to", tmp_path)[0] == 0
    for kinds in [*([kind] for kind in KINDS), history.random.choices(KINDS, k=4)]:
        before, files = months(tmp_path), {*tmp_path.rglob("*.parquet")}
        for kind in kinds:
            history.change(kind)
        history.write()
        code, said = command("load", "--to", tmp_path)
        assert code == 0, said
        for table, rows in history.rows.items():
            assert read_back(tmp_path, table) == expected(table, rows)
        after = months(tmp_path)
        changed = {month for month in after if after[month] != before.get(month)}
        new = {*tmp_path.rglob("*.parquet")} - files
        read = {(path.parts[-3], path.parts[-2].rpartition("-")[0]) for path in new}
        # Of a month that is again what it was two loads ago the files may still be there.
        assert read <= changed
        assert f"{sum(after[month].total() for month in read):,} rows were read" in said


def test_killed_and_loaded_again(
    app: AppDatabase, command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load that is killed makes no snapshot, and the next one reads what it did not get to."""
    history = History(app, 2)
    history.write()
    command("load", "--to", tmp_path / "whole")
    monkeypatch.setattr(loading, "ROWS_AT_ONCE", 20)
    killed = loading.PartWriter.finish
    done: list[str] = []

    def finish(writer: Any) -> None:
        killed(writer)
        done.append(writer.part.name)
        if len(done) == 9:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        loading.PartWriter.finish = finish  # type: ignore[method-assign]
        command("load", "--to", tmp_path / "killed")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not (tmp_path / "killed" / "snapshots").exists()
    done = [*(tmp_path / "killed").glob("*/*/*.parquet")]
    assert len(done) == 9
    times = {path: path.stat().st_mtime_ns for path in done}
    (tmp_path / "killed" / ".partial-x").write_text("half a file")
    code, said = command("load", "--to", tmp_path / "killed")
    assert code == 0, said
    assert times == {path: path.stat().st_mtime_ns for path in done}
    assert newest(tmp_path / "killed").tables == newest(tmp_path / "whole").tables
    assert months(tmp_path / "killed") == months(tmp_path / "whole")
    assert not [*(tmp_path / "killed").glob(".partial-*")]


def test_what_is_damaged_is_read_again(
    app: AppDatabase, command: Callable[..., Any], tmp_path: Path
) -> None:
    """A file that is gone, cut off, of another month or of other columns is written again."""
    History(app, 3).write()
    command("load", "--to", tmp_path)
    whole = months(tmp_path)
    gone, cut, other, another = sorted(tmp_path.rglob("enhancement_tasks/*/*.parquet"))[:4]
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-20])
    other.write_bytes(another.read_bytes())
    [ledger, *_] = sorted(tmp_path.rglob("credit_transactions/*/*.parquet"))
    table = pq.read_table(ledger)
    pq.write_table(table.drop_columns(["provider"]), ledger)
    code, said = command("load", "--to", tmp_path)
    assert code == 0, said
    assert months(tmp_path) == whole


def test_bad_input(app: AppDatabase, command: Callable[..., Any], tmp_path: Path) -> None:
    """One sentence each, and the snapshot of before stays."""
    History(app, 4).write()
    command("load", "--to", tmp_path / "folder")
    before = newest(tmp_path / "folder")

    def refused(*sentences: str, to: str | Path = tmp_path / "folder", **given: Any) -> None:
        code, said = command("load", "--to", to, **given)
        assert code == 1
        assert all(sentence in said for sentence in sentences), said
        assert "Traceback" not in said
        [_] = [line for line in said.splitlines() if line.strip() and "/1 0:00:0" not in line]
        assert newest(tmp_path / "folder") == before

    refused("Name the folder: make spark-load TO=folder", to="")
    (tmp_path / "file").write_text("")
    refused(
        "cannot be written (Not a directory)", "name another folder", to=tmp_path / "file" / "x"
    )
    refused("is no folder", to="ftp://example.test/x")
    refused("has a key in it", "AWS_ACCESS_KEY_ID", to="s3://key:secret@bucket/x")
    refused("PostgreSQL does not answer", "PGHOST", PGHOST=str(tmp_path))
    refused("does not exist", "PostgreSQL does not answer", PGUSER="nobody_of_this_name")
    app.execute("revoke select on enhancement_tasks from paygen")
    refused("grant select on", "enhancement_tasks", fresh=True)
    app.execute("grant select on enhancement_tasks to paygen")
    app.execute("update credit_transactions set cost_usd = 0.1234567890123 where id = 'c7'")
    refused("Column cost_usd of credit_transactions holds 0.1234567890123", "round(")
    app.execute("update credit_transactions set cost_usd = 0 where id = 'c7'")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    app.execute("update enhancement_tasks set provider = 'other'")
    try:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, limit[1]))
        refused("cannot be written (File too large)", "make room")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    [path] = (tmp_path / "folder" / "snapshots").iterdir()
    path.write_text(path.read_text()[:-20])
    code, said = command("load", "--to", tmp_path / "folder")
    assert (code, "is no list of a snapshot's files" in said) == (1, True)


@pytest.mark.parametrize("command", ["load", "publish"])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command says what it takes."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--target" in capsys.readouterr().out
