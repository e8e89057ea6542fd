"""Many drawn histories: lines come and go in a table, and become the costs."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.docs.documents import snippets
from tests.mapping.foreign import foreign_app
from tests.oracle.statement import Generation, Line
from tests.statement.comparison import assert_matches
from tests.statement.conftest import RULES, VARIABLES, run
from tests.statement.drawn import History, batches, draw, load_app, make_table

pytestmark = pytest.mark.long


@pytest.mark.parametrize("seed", range(2, 8))
def test_a_table_that_changes(database: AppDatabase, seed: int) -> None:
    """Lines come and go in a table: incremental runs equal the oracle, and so does a rebuild."""
    random = Random(seed)
    history = draw(seed, 300)
    load_app(database, history)
    database.dbt("seed")
    for keys in [*batches(history, random, 3), set(list(batches(history, random, 3))[1])]:
        arrived = history.part(keys)
        make_table(database, arrived)
        run(database)
        assert_matches(database, arrived.generations, arrived.lines, RULES)
    # The end of the statement is another one.
    last = sorted(arrived.lines, key=lambda line: line.billed_at)[-1].billed_at
    arrived = arrived.part(
        {line.key for line in arrived.lines if line.billed_at < last.replace(day=1)}
    )
    make_table(database, arrived)
    run(database)
    assert_matches(database, arrived.generations, arrived.lines, RULES)
    # Generations come late, and one is gone.
    gone = history.generations[0].id
    database.execute("delete from enhancement_tasks where id = %s", [gone])
    database.execute("delete from credit_transactions where api_request_id = %s", [gone])
    run(database)
    assert_matches(database, history.generations[1:], arrived.lines, RULES)
    load_app(database, History([history.tasks[0]], [history.charges[0]], [history.generations[0]]))
    run(database)
    assert_matches(database, arrived.generations, arrived.lines, RULES)
    run(database, "--full-refresh")
    assert_matches(database, arrived.generations, arrived.lines, RULES)


def costs(
    generations: list[Generation], lines: list[Line]
) -> dict[str, tuple[Decimal | None, bool]]:
    """By generation, its cost with the basis `statement`, and whether that is provisional."""
    expected: dict[str, tuple[Decimal | None, bool]] = {}
    taken: set[str] = set()
    for generation in sorted(generations, key=lambda each: (each.created_at, each.id)):
        own = [line for line in lines if line.prediction == generation.prediction]
        is_first = generation.prediction not in taken
        taken.add(generation.prediction)
        if is_first and any(line.kind == "charge" for line in own):
            net = sum(
                {"charge": line.amount, "refund": -line.amount}.get(line.kind, Decimal(0))
                for line in own
            )
            expected[generation.id] = (max(Decimal(0), net), False)
        else:
            by_ledger = generation.cost if generation.status == "completed" else Decimal(0)
            expected[generation.id] = (by_ledger, True)
    return expected


@pytest.mark.parametrize("seed", range(8, 12))
def test_costs_by_the_statement(database: AppDatabase, seed: int) -> None:
    """Lines that come and go change the costs, in nightly runs as in a rebuild."""
    random = Random(seed)
    history = draw(seed, 200)
    load_app(database, history)
    database.dbt("seed")
    variables = VARIABLES | {"vendor_cost_basis": "statement"}
    refused = database.dbt("run", variables=variables, reports=True, expect_success=False)
    assert not refused.success
    assert "vendor_cost_basis is statement, and there is no vendor's statement" in str(
        refused.exception
    )
    for keys in [*batches(history, random, 2), set(list(batches(history, random, 3))[1])]:
        arrived = history.part(keys)
        make_table(database, arrived)
        for options in ([], ["--full-refresh"]):
            database.dbt("run", *options, variables=variables, reports=True)
            expected = costs(arrived.generations, arrived.lines)
            found = {
                row["generation_id"]: (row["vendor_cost_usd"], row["is_cost_provisional"])
                for row in database.query("select * from analytics.fct_generations")
            }
            assert found == expected
            [row] = database.query(
                "select (select sum(vendor_cost_usd) from analytics.monthly_cost) as cost,"
                " (select count(*) from analytics.generations_without_cost) as unknown"
            )
            known = [cost for cost, _ in expected.values() if cost is not None]
            assert row["cost"] == sum(known)
            assert row["unknown"] == len(expected) - len(known)
            assert_matches(database, arrived.generations, arrived.lines, RULES)


def test_the_mapping_of_the_documents(server: Server, tmp_path: Path) -> None:
    """A table of the vendor's records, read through the mapping of docs/statement.md."""
    [mapping] = [
        snippet.text
        for snippet in snippets()
        if (snippet.document, snippet.section) == ("docs/statement.md", "Or a table")
    ]
    sql = """
        create table wavespeed_billings (
            uuid text, billing_type text, price double precision, created_at timestamptz,
            "order" jsonb, prediction jsonb
        );
        insert into wavespeed_billings values (
            'd6b45aaa54fb4d12930acc36c9ae639f', 'deduct', 0.0243, '2024-05-10 12:00:00Z',
            '{"state": "done", "origin_price": 0.027}',
            '{"uuid": "cb54bb552ff94e1ea6a5c2976fe1c0c1", "model_uuid": "bytedance/seedream-v3"}'
        )
    """
    with foreign_app(server, tmp_path, sql) as app:
        app.map(mapping)
        printed = app.build()
        assert printed.success, printed.text
        assert app.rows(
            "select status, prediction_key, line_id, statement_usd, list_price_usd, claim_usd"
            " from analytics.generation_match"
        ) == [
            (
                "only_vendor", "cb54bb55-2ff9-4e1e-a6a5-c2976fe1c0c1",
                "d6b45aaa-54fb-4d12-930a-cc36c9ae639f", "0.0243", "0.027", "0.0243",
            )
        ]  # fmt: skip
