"""Each shape that docs/mapping.md has an example of, and the public apps' of the cases, exactly."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.jsonschemas.jsonschemas import CustomDraft7Validator

from local_postgres.server import Server
from tests.app_database import PROJECT
from tests.cases.test_cases import CASES, Runner, edit_project, make_case_database
from tests.mapping.foreign import HERE, foreign_app

DOCS = (PROJECT / "docs" / "mapping.md").read_text()
EXAMPLES = dict(re.findall(r"### ([^\n]+)\n.*?```yaml\n(.*?)```", DOCS, re.S))
ENUMS = (HERE / "enums.yml").read_text()
USAGE = (
    "select month_start::text, generations, completed_generations, failed_generations,"
    " credits_used, credits_refunded from analytics.monthly_usage order by 1"
)
COST = "select month_start::text, vendor_cost_usd from analytics.monthly_cost order by 1"
FINDINGS = "select finding_type, generation_id from analytics.credit_audit_findings order by 1, 2"
BALANCES = (
    "select user_id, app_balance, ledger_balance, drift"
    " from analytics.credit_balance_reconciliation order by 1"
)
# The app's database, and what its marts must say.
SHAPES: dict[str, tuple[str, dict[str, list[tuple[Any, ...]]]]] = {
    "Holds": (
        "holds.sql",
        {
            USAGE: [("2024-05-01", 2, 1, 0, "4", "0")],
            FINDINGS: [],
            BALANCES: [("ann", "10", "10", "0")],
        },
    ),
    "Tasks only": (
        "images.sql",
        {
            USAGE: [("2024-04-01", 1, 1, 0, "0", "0"), ("2024-05-01", 2, 1, 1, "0", "0")],
            COST: [("2024-04-01", "0.05"), ("2024-05-01", "0.05")],
            BALANCES: [],
        },
    ),
    "Tasks that say what they took": (
        "images.sql",
        {
            USAGE: [("2024-04-01", 1, 1, 0, "3", "0"), ("2024-05-01", 2, 1, 1, "6", "0")],
            COST: [("2024-04-01", "0.05"), ("2024-05-01", "0.05")],
            "select record_source, count(*) from analytics.fct_generations group by 1": [
                ("task", 3)
            ],
            "select generation_id, credits_at_stake from analytics.credit_audit_findings"
            " where finding_type = 'failed_not_refunded'": [("3", "3")],
        },
    ),
    "Ledger only": (
        "usage_events.sql",
        {
            USAGE: [("2024-05-01", 2, 2, 0, "2.5", "1.25")],
            COST: [("2024-05-01", "0.02")],
            FINDINGS: [("refunded_but_completed", "e3")],
            BALANCES: [("cus_1", None, "98.75", None)],
        },
    ),
}
CASES_BY_MAPPING = {
    "public_profiles_through_views": EXAMPLES["A ledger of signed amounts"],
    "public_prisma_through_views": EXAMPLES["Prisma"],
    "public_enums_through_views": ENUMS,
}


def test_examples_follow_the_json_schema() -> None:
    """Those of the docs, the file to start from and the tests' own; a misspelt key does not."""
    example = (PROJECT / "mapping" / "app.yml.example").read_text()
    own = [path.read_text() for path in HERE.glob("*.yml")]
    assert set(SHAPES) < set(EXAMPLES)
    schema = json.loads((PROJECT / "mapping" / "schema.json").read_text())
    CustomDraft7Validator.check_schema(schema)
    validator = CustomDraft7Validator(schema)
    for text in [*EXAMPLES.values(), example, *own]:
        assert list(validator.iter_errors(yaml.safe_load(text))) == []
        misspelt = yaml.safe_load(text.replace("columns:", "column:"))
        assert list(validator.iter_errors(misspelt)) != []


def test_the_json_schema_knows_our_columns_and_seeds() -> None:
    """Every column of the sources, and every one of the seeds that a mapping may give rows of."""
    schema = json.loads((PROJECT / "mapping" / "schema.json").read_text())["definitions"]
    sources = yaml.safe_load(
        (PROJECT / "models" / "staging" / "app" / "_app__sources.yml").read_text()
    )
    for table in sources["sources"][0]["tables"]:
        columns = schema[table["name"]]["properties"]["meta"]["properties"]["columns"]
        assert list(columns["properties"]) == [column["name"] for column in table["columns"]]
        for column in table["columns"]:
            may_be_null = columns["properties"][column["name"]] == {"$ref": "#/definitions/column"}
            meta = column.get("config", {}).get("meta", {})
            assert may_be_null != meta.get("required", False), column["name"]
    seeds = yaml.safe_load((PROJECT / "seeds" / "_seeds.yml").read_text())["seeds"]
    for seed in seeds:
        rows = schema["values"]["properties"].get(seed["name"])
        if rows:
            assert set(rows["items"]["properties"]) == {each["name"] for each in seed["columns"]}


def test_the_docs_say_what_a_run_says_of_missing_tables() -> None:
    """The table in docs/mapping.md has the words that `lacks_of_missing_tables` prints."""
    macro = (PROJECT / "macros" / "sources" / "check_sources.sql").read_text()
    text = macro[macro.index("{% macro lacks_of_missing_tables") :]
    said = {
        table: " ".join(re.findall(r'"([^"]*)"', lines))
        for table, lines in re.findall(r"'(\w+)': ((?:\"[^\"]*\"|[\s~])+)", text)
    }
    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", DOCS, re.M))
    assert set(said) == {"enhancement_tasks", "credit_transactions", "user_credits"}
    for table, sentence in said.items():
        assert _words(sentence) <= _words(told[table]), table


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


@pytest.mark.long
@pytest.mark.parametrize("name", SHAPES)
def test_example(server: Server, tmp_path: Path, name: str) -> None:
    """The docs' mapping, as written, over a database of its shape."""
    script, expected = SHAPES[name]
    with foreign_app(server, tmp_path, (HERE / script).read_text()) as app:
        app.map(EXAMPLES[name])
        printed = app.build()
        assert printed.success, printed.text
        assert {query: app.rows(query) for query in expected} == expected
        assert app.build("build", "--selector", "frequent").success
        assert {query: app.rows(query) for query in expected} == expected


@pytest.mark.long
@pytest.mark.parametrize("name", CASES_BY_MAPPING)
def test_public_shape_by_mapping(server: Server, tmp_path: Path, name: str) -> None:
    """A case has the answer that it has through views, and no view is read."""
    case = json.loads((CASES / name / "case.json").read_text())
    for step in [case, *case["steps"]]:
        step.get("vars", {}).pop("app_schema", None)
    database = make_case_database(server, name, case)
    database.execute("drop schema paygen_in cascade")

    def edit(project: Path) -> None:
        (project / "mapping").mkdir(exist_ok=True)
        (project / "mapping" / "app.yml").write_text(CASES_BY_MAPPING[name])

    with ExitStack() as stack:
        edit_project(edit, tmp_path, stack)
        Runner(database, case, is_edited=True).run()
