"""A statement that is loaded from files and matched, against an answer worked out without SQL."""

import gzip
import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from tests.app_database import PROJECT, AppDatabase
from tests.docs.documents import read
from tests.statement.comparison import assert_matches
from tests.statement.conftest import MATCHED, RULES, Load, run
from tests.statement.drawn import History, batches, make_table, write_csv

STATUSES = {
    "agrees", "amount_differs", "app_cost_unknown", "failed_billed", "billed_twice", "only_vendor",
    "unknown_model", "only_app", "provisional", "refunded_by_vendor", "refund_without_charge",
    "superseded",
}  # fmt: skip
HEAD = "prediction_id,state,price_usd,billed_at"
LINE = "p-1,deduct,0.04,2024-05-01T12:00:00Z"
# By name: what the file holds, and what the refusal says.
REFUSED = {
    "another currency": (
        f"{HEAD},currency\n{LINE},USD\n{LINE.replace('p-1', 'p-2')},EUR\n",
        r"file\.csv, line 3: the price is in EUR",
    ),
    "no price": (f"{HEAD}\np-1,deduct,free,2024-05-01T12:00:00Z\n", r"line 2: the price is free"),
    "no time": (f"{HEAD}\np-1,deduct,0.04,yesterday\n", r"line 2: the time is yesterday"),
    "no number": (f"{HEAD}\np-1,deduct,NaN,2024-05-01T12:00:00Z\n", r"line 2: the price is NaN"),
    "millionths": (f"{HEAD}\np-1,deduct,24300,2024-05-01T12:00:00Z\n", r"line 2: 24300 US dollars"),
    "a cell too many": (f"{HEAD}\n{LINE},more\n", r"line 2 has 5 cells and the header 4"),
    "no column": ("id,price,time\n1,2,3\n", r"no column prediction_id or prediction_uuid"),
    "signs without states": (
        "prediction_id,price,time\np-1,1,2024-05-01\np-2,-1,2024-05-02\n",
        r"no column of states and prices of both signs",
    ),
    "a total": (
        f"{HEAD}\n{LINE}\np-1,refund,0.01,2024-05-01T13:00:00Z\nTotal,,0.04,\n",
        r"file\.csv: its lines add up to 0\.03 US dollars .* its total says 0\.04",
    ),
    "no CSV": (f'{HEAD}\n"p-1,deduct\n', r"file\.csv is no CSV file"),
}


def stored(database: AppDatabase) -> list[dict[str, Any]]:
    """Every line and file that is loaded."""
    return database.query(
        "select lines.*, files.file_name, files.new_lines"
        " from analytics_intermediate.int_statement_files as files"
        " full join analytics_intermediate.int_statement_lines as lines using (file_checksum)"
        " order by line_key, line_number"
    )


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_read(
    built: tuple[AppDatabase, History], load: Load, tmp_path: Path, case: str
) -> None:
    """One sentence with file and line, and nothing of the folder is loaded."""
    database, _ = built
    content, sentence = REFUSED[case]
    (tmp_path / "file.csv").write_text(content)
    (tmp_path / "a-good-one.csv").write_text(f"{HEAD}\n{LINE}\n")
    before = stored(database)
    code, said = load(tmp_path)
    assert code == 1
    assert re.search(sentence, said), said
    assert "Traceback" not in said
    assert "othing was loaded" in said
    assert stored(database) == before


def test_what_two_files_share_counts_once(
    built: tuple[AppDatabase, History], load: Load, tmp_path: Path
) -> None:
    """The same file does nothing, a line of both counts once, and what differs is told."""
    database, _ = built
    second = LINE.replace("p-1", "p-2")
    (tmp_path / "a.csv").write_text(f"{HEAD}\n{LINE}\n{second}\n{second}\n")
    code, said = load(tmp_path, "--total", "0.12")
    assert code == 0, said
    assert "a.csv: 3 lines, 0.12 US dollars; 3 new" in said
    (tmp_path / "a again.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    code, said = load(tmp_path / "a again.csv.gz")
    assert (code, "was loaded before, as a.csv: nothing was done" in said) == (0, True)
    third = LINE.replace("p-1", "p-3")
    (tmp_path / "b.csv").write_text(
        f"{HEAD}\n{LINE}\n{second.replace('0.04', '0.05')}\n{second}\n{third}\n"
    )
    code, said = load(tmp_path / "b.csv")
    assert code == 0, said
    assert "4 lines, 0.17 US dollars; 1 new, 2 as an earlier file has them, 1 otherwise" in said
    assert "p-2 deduct differs from a.csv, line 4, which counts (0.04 became 0.05)" in said
    assert [row["line_key"] for row in stored(database) if not row["differs_from_loaded"]] == [
        "p-1 deduct 1", "p-2 deduct 1", "p-2 deduct 2", "p-3 deduct 1"
    ]  # fmt: skip
    code, said = load(tmp_path, "--total", "0.11")
    assert code == 1
    assert "add up to 0.16 US dollars (charges less refunds), and the total given is 0.11" in said
    code, said = load("--forget", "never.csv")
    assert (code, "No file never.csv was loaded, only a.csv, b.csv" in said) == (1, True)
    assert load("--forget", "all") == (0, "Forgot a.csv, b.csv.\n")
    assert stored(database) == []


def test_the_commands_of_the_documents(built: tuple[AppDatabase, History], tmp_path: Path) -> None:
    """Each `make load-statement` of docs/statement.md, in its order."""
    database, _ = built
    commands = re.findall(r"^make load-statement .+$", read("docs/statement.md"), re.M)
    assert len(commands) == 3
    folder = PROJECT / "statements"
    assert not folder.exists()
    try:
        folder.mkdir()
        line = LINE.replace("0.04", "1234.56")
        (folder / "2024-05.csv").write_text(f"{HEAD}\n{line}\n")
        for command in commands:
            with patch.dict(os.environ, database.environment()):
                done = subprocess.run(
                    ["bash", "-c", command],
                    cwd=PROJECT,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        shutil.rmtree(folder)
    assert "Forgot 2024-05.csv." in done.stdout
    assert stored(database) == []


def test_files_that_come_one_after_another(
    built: tuple[AppDatabase, History], load: Load, tmp_path: Path
) -> None:
    """Without a statement nothing is matched; then each run has the oracle's answer."""
    database, history = built
    assert database.query("select * from analytics.generation_match") == []
    assert database.query("select * from analytics.monthly_vendor_reconciliation") == []
    odd = [
        ",deduct,0.5,2024-04-10T00:00:00Z", "p-1,sold,0.5,2024-04-10T00:00:00Z",
        "p-2,topup,100,2024-04-10T00:00:00Z", "p-3,deduct,,2024-04-10T00:00:00Z",
        "p-4,deduct,0.5,",
    ]  # fmt: skip
    (tmp_path / "odd.csv").write_text("\n".join([HEAD, *odd]))
    found: set[str] = set()
    for number, keys in enumerate(batches(history, Random(1), 2)):
        arrived = history.part(keys)
        write_csv(tmp_path / f"{number}.csv", arrived.written)
        code, said = load(tmp_path)
        assert code == 0, said
        run(database, models=[*MATCHED, "rejected_rows"])
        found |= assert_matches(
            database, arrived.generations, arrived.lines, RULES, {"2024-04-01": Decimal("0.5")}
        )
    assert found >= STATUSES
    assert {
        row["reject_reason"]
        for row in database.query(
            "select * from analytics.rejected_rows where source_table = 'vendor_billing'"
        )
    } == {"missing_id", "unknown_state", "no_usage", "missing_price", "missing_billed_at"}
    rows = (
        "select to_jsonb(generation_match) - 'change_number' as row"
        " from analytics.generation_match order by match_id"
    )
    before = database.query(rows)
    run(database, "--full-refresh", models=MATCHED)
    assert before == database.query(rows)
    make_table(database, history)
    refused = database.dbt("run", "--select", "vendor_claims", expect_success=False, reports=True)
    assert "is there twice, as table" in str(refused.exception)
