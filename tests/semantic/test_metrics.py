"""MetricFlow's answers are those of the marts; nothing that is scheduled depends on its models."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_postgres.databases import READER_SCRIPT
from local_postgres.server import Server
from tests.app_database import (
    PROJECT,
    AppDatabase,
    parsed_project,
    profiles_directory,
    project_with,
)
from tests.conftest import make_database
from tests.dashboard.databases import AS_OF, load_demo, load_nasty, load_sample
from tests.dashboard.serving import READER
from tests.docs.documents import commands, read
from tests.sample import AS_OF as SAMPLE_AS_OF

Row = dict[str, Any]
Ask = Callable[..., list[Row]]

MARTS = {
    "usage_by_month": "monthly_usage",
    "cost_by_month": "monthly_cost",
    "success_rate_by_month": "monthly_success_rate",
    "providers_by_month": "monthly_provider_breakdown",
}
HISTORIES = {
    "demo": (lambda database: load_demo(database, 1, generations=600), AS_OF),
    "sample": (load_sample, SAMPLE_AS_OF),
    "nasty": (load_nasty, AS_OF),
}


METRICS = yaml.safe_load((PROJECT / "semantic" / "_metrics.yml").read_text())


def test_dbt_reads_metrics_where_they_are_asked_for() -> None:
    """Scheduled runs neither parse them nor build the time spine."""
    manifest = parsed_project()
    assert not manifest.metrics
    assert not manifest.semantic_models
    assert "model.paygen.time_spine" not in manifest.nodes


def test_every_metric_is_documented_and_every_documented_one_is_there() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", read("docs/metrics.md"), re.MULTILINE)
    measures = [
        each["name"] for model in METRICS["semantic_models"] for each in model.get("measures", [])
    ]
    assert sorted(documented) == sorted(measures + [each["name"] for each in METRICS["metrics"]])


def run(*command: str, folder: Path = PROJECT, **variables: str) -> str:
    """A command's output; one that fails is an error."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PAYGEN_METRICS": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def database(server: Server) -> AppDatabase:
    """One database, whose name the parsed project holds; each test fills it."""
    return make_database(server)


@pytest.fixture(scope="module")
def ask(database: AppDatabase, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Ask a saved query, or metrics by dimensions, as a reader; numbers as PostgreSQL has them."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import (
        parse_manifest_from_dbt_generated_manifest,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    class Dialect:
        sql_engine_type = SqlEngine.POSTGRES
        sql_plan_renderer = PostgresSQLSqlPlanRenderer()

    target = tmp_path_factory.mktemp("target")
    arguments = ("--target-path", str(target), "--profiles-dir", str(profiles_directory()))
    run(
        sys.executable,
        "-m",
        "dbt.cli.main",
        "--warn-error",
        "parse",
        *arguments,
        **database.environment(),
    )
    manifest = parse_manifest_from_dbt_generated_manifest(
        (target / "semantic_manifest.json").read_text()
    )
    engine = MetricFlowEngine(SemanticManifestLookup(manifest), Dialect())

    def ask(
        saved: str | None = None, metrics: list[str] | None = None, by: list[str] | None = None
    ):
        request = MetricFlowQueryRequest.create(
            saved_query_name=saved, metric_names=metrics, group_by_names=by
        )
        return database.query(engine.explain(request).sql_statement.sql, user=READER)

    return ask


@pytest.mark.long
@pytest.mark.parametrize("history", HISTORIES)
def test_saved_queries_are_the_monthly_tables(server: Server, ask: Ask, history: str) -> None:
    load, as_of = HISTORIES[history]
    database = make_database(server)
    load(database)
    database.execute(READER_SCRIPT.read_text())
    database.dbt(
        *("build", "--resource-type", "model", "seed"),
        variables={"as_of": as_of.isoformat(), "reader_roles": [READER]},
    )
    for query in METRICS["saved_queries"]:
        mart = MARTS[query["name"]]
        key = ["month_start", "provider"] if "provider" in mart else ["month_start"]
        stored = {
            tuple(row[name] for name in key): row
            for row in database.query(f"select * from analytics.{mart}")
        }
        for row in ask(query["name"]):
            month = row["metric_time__month"].date()
            place = (month, row["provider"]) if "provider" in mart else (month,)
            # A provider of refunds alone has a row of zeros here, and none in the mart.
            expected = stored.pop(place, None) or dict.fromkeys(row)
            for metric in query["query_params"]["metrics"]:
                assert same(row[metric], expected.get(metric)), (mart, metric, row, expected)
        # What MetricFlow has no row for, the mart fills with zeros.
        for row in stored.values():
            assert not any(row[metric] for metric in query["query_params"]["metrics"]), row


def same(asked: Any, stored: Any) -> bool:
    """Sums are the same; ratios, which MetricFlow divides as floats, to the mart's last digit."""
    if isinstance(asked, float):
        return stored is not None and abs(Decimal(asked) - stored) <= Decimal("0.00000051")
    return (asked or 0) == (stored or 0)


@pytest.mark.long
def test_the_commands_of_the_documents(server: Server, tmp_path: Path) -> None:
    """`mf` as docs/metrics.md has it, in a copy of the project; and a metric that is edited."""
    database = make_database(server)
    load_demo(database, 1, generations=600)
    variables = {"as_of": AS_OF.isoformat()}
    database.dbt("build", "--resource-type", "model", "seed", variables=variables)
    project = project_with({})
    run("cp", "-R", str(PROJECT / "semantic"), str(project))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = {
        **database.environment(),
        "PATH": path,
        "DBT_PROFILES_DIR": str(profiles_directory()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    said = {}
    for line in commands("docs/metrics.md", "Ask"):
        if line.startswith("export "):
            continue
        command = line.removeprefix(".tools/bin/uv run --frozen ")
        said[command] = run("sh", "-c", command, folder=project, **settings)
    validated, listed, queried = (
        next(text for name, text in said.items() if word in name)
        for word in ("validate-configs", "list", "--metrics")
    )
    assert "ERRORS: 0" in validated
    assert "success_rate" in listed
    shown = dict(re.findall(r"^(\d{4}-\d\d)-01\S*\s+(\d+)", queried, re.MULTILINE))
    stored = database.query(
        "select to_char(month_start, 'YYYY-MM') as month, generations from analytics.monthly_usage"
    )
    assert shown == {row["month"]: str(row["generations"]) for row in stored}
    metrics = project / "semantic" / "_metrics.yml"
    metrics.write_text(metrics.read_text().replace("label: Success rate", "label: Success"))
    assert "Unable to do partial parsing" not in run("dbt", "parse", folder=project, **settings)
