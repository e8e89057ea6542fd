"""A month closes once, says what changed since, and shows whoever altered it by hand."""

import csv
import hashlib
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest

from dashboard.numbers_shown import figure_name
from export.__main__ import main as export
from tests.app_database import BUILD_ROLE, AppDatabase, messages
from tests.closing.record import (
    Key,
    assert_reported_and_restated_make_now,
    closed_now,
    differences,
    operate,
    restated,
)
from tests.dashboard.databases import AS_OF
from tests.dashboard.reading import parse, read_html
from tests.dashboard.serving import READER, environment, let_read, page_of

OCTOBER = date(2024, 10, 1)
SIGNED = {"by": "Ann O'Neil", "reason": "agreed with the vendor's invoice"}
# What is said of each, which is one sentence.
REFUSED = {
    ("close_month", "2024-13", "Ann"): "month is '2024-13': write it as YYYY-MM",
    ("close_month", "2024-10; drop", "Ann"): "write it as YYYY-MM",
    ("close_month", "2024-10", " "): "by must be one line of at most 100 letters",
    ("close_month", "2024-10", "Ann\nprevious: 0"): "by must be one line",
    ("close_month", "2024-10", None): "by must be one line",
    ("close_month", "2024-12", "Ann"): "the marts are as of 2024-12-04 15:30:00+00:00, before the",
    ("close_month", "2999-12", "Ann"): "2999-12 has not ended: close it when it is over",
    (
        "close_month",
        "2020-01",
        "Ann",
    ): "there is no month 2020-01: the marts have 2024-09 to 2024-12",
    ("reopen_month", "2024-10", "Ann"): "2024-10 is not closed, so it cannot be reopened",
}
RECORD = ("int_month_closes", "int_closed_figures", "int_closed_generations", "int_closed_credits")


def record(database: AppDatabase) -> dict[str, list[str]]:
    """Every row of the record of closes."""
    return {
        table: sorted(
            str(row) for row in database.query(f"select * from analytics_intermediate.{table}")
        )
        for table in RECORD
    }


def digest_by_the_document(database: AppDatabase, number: int) -> str:
    """The digest of an entry, from the text that docs/closing.md describes."""
    (entry,) = database.query(
        "select * from analytics.month_closes where entry_number = %s", [number]
    )
    figures = database.query(
        "select figure, provider, value from analytics.closed_figures where entry_number = %s",
        [number],
    )

    def moment(value: object) -> str:
        return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if value else ""

    lines = {
        "entry": number,
        "month": f"{entry['month_start']:%Y-%m}",
        "event": entry["event"],
        "recorded at": moment(entry["recorded_at"]),
        "role": entry["role_name"],
        "signed by": entry["signed_by"],
        "reason": entry["reason"] or "",
        "as of": moment(entry["as_of"]),
        "starts at": moment(entry["starts_at"]),
        "ends at": moment(entry["ends_at"]),
        "rules": entry["rules"] or "",
        "prices": entry["prices"] or "",
        "credit price": entry["credit_price_usd"] and f"{entry['credit_price_usd'].normalize():f}",
        "code": entry["code_version"],
        "rows": entry["rows_digest"] or "",
        "previous": entry["previous_digest"] or "",
    }
    text = "".join(f"{name}: {'' if value is None else value}\n" for name, value in lines.items())
    text += "".join(
        sorted(
            (
                f"figure: {row['figure']} {row['provider'] or '*'}"
                f" {'' if row['value'] is None else row['value']}\n"
                for row in figures
            ),
            key=lambda line: line.split(" ")[1:3],
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def reported(built: AppDatabase) -> dict[str, dict[Key, Decimal]]:
    """What the marts said when September and October were closed."""
    for month in ("2024-09", "2024-10"):
        operate(built, "close_month", month=month, **SIGNED)
    return {month: closed_now(built, month) for month in ("2024-09", "2024-10")}


def test_what_cannot_be_closed_is_refused_in_one_sentence(built: AppDatabase) -> None:
    """Nothing is written, not even half of it."""
    before = record(built)
    for (operation, month, by), sentence in REFUSED.items():
        result = operate(built, operation, check=False, month=month, by=by)
        assert not result.success
        assert sentence in messages(result)
        assert "nothing was written" in messages(result)
    built.execute("update analytics.monthly_usage set credits_used = credits_used + 1")
    result = operate(built, "close_month", check=False, month="2024-10", by="Ann")
    assert "are not the sums of its rows (credits_used)" in messages(result)
    built.execute("update analytics.monthly_usage set credits_used = credits_used - 1")
    assert record(built) == before


def test_a_close_is_what_the_marts_said_and_is_signed(
    built: AppDatabase, reported: dict[str, dict[Key, Decimal]]
) -> None:
    assert_reported_and_restated_make_now(built, reported)
    entries = built.query("select * from analytics.month_closes order by entry_number")
    assert [(row["event"], row["is_current"]) for row in entries] == [("close", True)] * 2
    assert {(row["role_name"], row["signed_by"], row["reason"]) for row in entries} == {
        (BUILD_ROLE, SIGNED["by"], SIGNED["reason"])
    }
    assert json.loads(entries[0]["rules"])["vendor_cost_basis"] == "ledger"
    assert ["wan", "2024-01-01", 0.25] in json.loads(entries[0]["prices"])
    assert [digest_by_the_document(built, number) for number in (1, 2)] == [
        row["digest"] for row in entries
    ]
    again = operate(built, "close_month", check=False, month="2024-10", by="Bob")
    assert "2024-10 is closed already, by Ann O'Neil at 2" in messages(again)
    built.dbt("run-operation", "verify_closes")


def test_a_later_change_is_restated_with_its_cause(
    built: AppDatabase, reported: dict[str, dict[Key, Decimal]]
) -> None:
    """By a run of every few minutes; the ids that make it up are named."""
    late, corrected = change_october(built)
    built.dbt(
        *("build", "--selector", "frequent"),
        variables={"as_of": AS_OF.isoformat(), "lookback_days": 70},
    )
    assert_reported_and_restated_make_now(built, reported)
    assert restated(built, "2024-10", "generations") == {"late_rows": 1}
    assert restated(built, "2024-10", "failed_generations") == {"correction": 1}
    assert restated(built, "2024-10", "refunds_issued") == {"deletion": -1}
    assert restated(built, "2024-10", "active_users") == {"deletion": -1}
    assert restated(built, "2024-10", "vendor_cost_usd")["late_rows"] == Decimal("0.25")
    (row,) = built.query(
        """select * from analytics.monthly_restatements
           where figure = 'generations' and is_all_providers"""
    )
    assert (row["month_start"], row["first_row_ids"], row["row_count"]) == (OCTOBER, late, 1)
    rows = built.query("select row_id, figure, difference from analytics.restated_rows")
    assert {"row_id": corrected, "figure": "failed_generations", "difference": 1} in rows
    # No figure is left with a difference that its rows do not explain.
    causes = built.query("select distinct cause from analytics.monthly_restatements")
    assert {row["cause"] for row in causes} == {"late_rows", "correction", "deletion", "several"}


def change_october(database: AppDatabase) -> tuple[str, str]:
    """A task comes late, one turns out to have failed, a refund goes, and an account does."""
    (late,) = database.query(
        """insert into enhancement_tasks
               (id, user_id, provider, status, cost_usd, enhancement_type, created_at)
           values (gen_random_uuid(), null, 'wan', 'completed', 0.25, 'image_gen', '2024-10-20Z')
           returning cast(id as text)"""
    )
    (corrected,) = database.query(
        """update enhancement_tasks set status = 'failed' where id = (
               select max(id::text)::uuid from enhancement_tasks
               where created_at between '2024-10-05Z' and '2024-10-19Z' and status = 'completed')
           returning cast(id as text)"""
    )
    (user,) = database.query(
        """select user_id from enhancement_tasks
           where user_id is not null and created_at between '2024-10-05Z' and '2024-10-20Z'
               and id <> %s order by id limit 1""",
        [corrected["id"]],
    )
    for table in ("enhancement_tasks", "credit_transactions"):
        database.execute(f"update {table} set user_id = null where user_id = %s", [user["user_id"]])
    database.execute(
        """delete from credit_transactions where id = (
               select min(id::text)::uuid from credit_transactions
               where created_at between '2024-10-05Z' and '2024-10-30Z'
                   and transaction_type = 'refund')"""
    )
    return late["id"], corrected["id"]


@pytest.mark.parametrize(
    ("change", "undo", "said"),
    [
        (
            "update {figures} set value = value + 1 where {one}",
            "update {figures} set value = value - 1 where {one}",
            ["2024-09 (entry 1, close): the entry or its figures were altered"],
        ),
        (
            "update {rows} set credits_used = credits_used + 1 where entry_number = 1",
            "update {rows} set credits_used = credits_used - 1 where entry_number = 1",
            ["2024-09 (entry 1, close): the rows that it keeps were altered"],
        ),
        pytest.param(
            "update {closes} set signed_by = 'Bob' where entry_number = 2",
            "update {closes} set signed_by = 'Ann O''Neil' where entry_number = 2",
            ["2024-10 (entry 2, close): the entry or its figures were altered"],
            marks=pytest.mark.long,
        ),
        pytest.param(
            "create table public.aside as select * from {closes} where entry_number = 1;"
            " delete from {closes} where entry_number = 1",
            "insert into {closes} select * from public.aside; drop table public.aside",
            [
                "2024-10 (entry 2, close): an entry before it is missing",
                "entry 1: int_closed_figures",
            ],
            marks=pytest.mark.long,
        ),
        pytest.param(
            "update {closes} set digest = repeat('0', 64) where entry_number = 1",
            "update {closes} set digest = {true_digest} where entry_number = 1",
            ["2024-09 (entry 1, close)", "2024-10 (entry 2, close): it does not follow"],
            marks=pytest.mark.long,
        ),
    ],
    ids=["figure", "row", "signature", "entry", "digest"],
)
def test_a_month_that_was_altered_by_hand_is_named(
    built: AppDatabase,
    reported: dict[str, dict[Key, Decimal]],
    change: str,
    undo: str,
    said: list[str],
) -> None:
    names = {
        "one": "entry_number = 1 and figure = 'new_users'",
        "figures": "analytics_intermediate.int_closed_figures",
        "closes": "analytics_intermediate.int_month_closes",
        "rows": "analytics_intermediate.int_closed_generations",
        "true_digest": "(select max(previous_digest) from analytics.month_closes)",
    }
    built.execute(change.format(**names))
    result = operate(built, "verify_closes", check=False)
    altered = built.query(
        "select entry_number from analytics.month_closes where not (has_its_digest and follows)"
    )
    built.execute(undo.format(**names))
    assert not result.success
    # A reader sees it too, but for the kept rows, and rows of an entry that is gone.
    entries = {int(each.split("(entry ")[1][0]) for each in said if "(entry " in each}
    assert {row["entry_number"] for row in altered} == (set() if "rows" in said[0] else entries)
    for sentence in said:
        assert sentence in messages(result)
    assert "2024-11" not in messages(result)


def test_readers_read_and_nobody_but_the_build_role_writes(
    built: AppDatabase, reported: dict[str, dict[Key, Decimal]]
) -> None:
    let_read(built)
    for mart in ("month_closes", "closed_figures", "monthly_restatements", "restated_rows"):
        built.query(f"select * from analytics.{mart}", user=READER)
        with pytest.raises(psycopg2.Error, match=r"permission denied|cannot delete from view"):
            built.execute(f"delete from analytics.{mart}", user=READER)
    for table in RECORD:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            built.query(f"select * from analytics_intermediate.{table}", user=READER)


def test_an_export_carries_the_close(
    built: AppDatabase,
    reported: dict[str, dict[Key, Decimal]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    let_read(built)
    for name, value in environment(built).items():
        monkeypatch.setenv(name, value)
    manifests = {}
    for month in ("2024-10", "2024-11"):
        assert export([month, "--to", str(tmp_path / month)]) == 0
        manifests[month] = json.loads((tmp_path / month / "manifest.json").read_text())
    restated_figures = len({key[2] for key in differences(built) if not key[1]})
    said = f"It is closed, by {SIGNED['by']}; {restated_figures} figures were restated since."
    assert said in capsys.readouterr().out
    (entry,) = built.query("select * from analytics.month_closes where entry_number = 2")
    close = manifests["2024-10"]["close"]
    assert (close["state"], close["digest"]) == ("closed", entry["digest"])
    assert (close["signed_by"], close["restated_figures"]) == (SIGNED["by"], restated_figures)
    assert manifests["2024-11"]["close"] == {"state": "open"}


def test_the_page_shows_the_close(
    built: AppDatabase, reported: dict[str, dict[Key, Decimal]]
) -> None:
    """Who signed it, as reported beside now, why it moved, and the trail; each as CSV too."""
    let_read(built)
    with page_of(built) as page:
        text = page.get("/?month=2024-10").text
        shown = read_html(text)
        lead = section_of(text, "closes")
        assert f"October 2024 is closed, signed by {SIGNED['by']} ({SIGNED['reason']})" in lead
        assert f"as role {BUILD_ROLE} on " in lead
        moved = {key[2]: value for key, value in differences(built).items() if not key[1]}
        assert f"{len(moved)} figures were restated since." in lead
        assert "The trail has 2 entries; each has its digest and follows" in lead
        assert not any("altered" in notice for notice in shown["notices"])
        now = closed_now(built, "2024-10")
        file = csv.DictReader(io.StringIO(page.get("/csv/closed_figures.csv?month=2024-10").text))
        figures = {row["figure"]: row for row in file}
        assert figures.keys() == {key[2] for key in reported["2024-10"] if not key[1]}
        assert len(shown["tables"]["closed_figures"]) == len(figures) + 1
        for (_, provider, figure), value in reported["2024-10"].items():
            if not provider:
                row = figures[figure]
                assert Decimal(row["value_as_reported"] or 0) == value
                assert Decimal(row["value_now"] or 0) == now[OCTOBER, None, figure]
                assert Decimal(row["difference"]) == moved.get(figure, 0)
        causes = built.query(
            "select figure, cause, row_count from analytics.monthly_restatements"
            " where is_all_providers order by 1, 2"
        )
        assert [(row[0], row[1], row[5]) for row in shown["tables"]["restatements"][1:]] == [
            (figure_name(row["figure"]), row["cause"], str(row["row_count"])) for row in causes
        ]
        trail = shown["tables"]["closes"][1:]
        assert [(row[0], row[1], row[2], row[8]) for row in trail] == [
            ("2", "Oct 2024", "close", "yes"),
            ("1", "Sep 2024", "close", "yes"),
        ]
        of_wan = read_html(page.get("/?month=2024-10&provider=wan").text)["tables"]
        assert {row[0] for row in of_wan["closed_figures"][1:]} == {
            figure_name(key[2]) for key in reported["2024-10"] if key[1] == "wan"
        }
        opened = page.get("/?month=2024-11").text
        assert "November 2024 is open: its figures may change." in section_of(opened, "closes")
        assert set(read_html(opened)["tables"]) & {"closed_figures", "restatements"} == set()
        signed_by = "update analytics_intermediate.int_month_closes set signed_by = %s"
        built.execute(f"{signed_by} where entry_number = 1", ["Bob"])
        shown = read_html(page.get("/?month=2024-09").text)
        built.execute(f"{signed_by} where entry_number = 1", [SIGNED["by"]])
    assert any("was altered by hand, from entry 1 on" in each for each in shown["notices"])
    assert [row[8] for row in shown["tables"]["closes"][1:]] == ["yes", "no"]


def section_of(text: str, name: str) -> str:
    """What the page says in one section."""
    (found,) = [
        section.text
        for section in parse(text).all("section")
        if section.attributes.get("aria-labelledby") == name
    ]
    return found


@pytest.mark.long
def test_reopening_and_closing_again_leave_a_trail(
    built: AppDatabase, reported: dict[str, dict[Key, Decimal]]
) -> None:
    """A later month waits for an earlier one; the first close's figures stay."""
    first = built.query("select * from analytics.closed_figures where entry_number = 2")
    operate(built, "reopen_month", month="2024-10", by="Bob")
    assert built.query("select * from analytics.monthly_restatements") == []
    later = operate(built, "close_month", check=False, month="2024-11", by="Bob")
    assert "2024-10 comes before 2024-11 and is open: close it first" in messages(later)
    operate(built, "close_month", month="2024-10", by="Bob")
    reported["2024-10"] = closed_now(built, "2024-10")
    assert_reported_and_restated_make_now(built, reported)
    trail = built.query("select * from analytics.month_closes order by entry_number")
    assert [(row["event"], row["is_current"]) for row in trail] == [
        *(("close", True), ("close", False), ("reopen", False), ("close", True)),
    ]
    kept = built.query("select * from analytics.closed_figures where entry_number = 2")
    assert [{**row, "is_current": True} for row in kept] == first
    built.dbt("run-operation", "verify_closes")
