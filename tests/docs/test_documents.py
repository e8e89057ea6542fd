"""Each command, SQL block and variable of the documents is run by a test as it is written."""

import re
import shlex

import pytest
import yaml

from export.marts import SUMMED
from local_postgres.server import Server
from tests.app_database import PROJECT, AppDatabase, messages
from tests.app_rows import charge, task
from tests.conftest import make_database
from tests.docs.documents import Snippet, read, snippets

UV_RUN = ".tools/bin/uv run --frozen "
# What Grafana replaces by the dates of the dashboard.
TIME_FILTER = re.compile(r"\$__timeFilter\((.+)\)")

# What is not run here, and the test that runs it. A document's new command needs a test.
ELSEWHERE = {
    "make demo": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    "make demo FROM_CSV=folder": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    "make demo GENERATIONS=100000 MONTHS=12": (
        "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it"
    ),
    "make demo-stop": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    "make clean": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    "make docs": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    "make backup FILE=pool.dump": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    ".tools/bin/uv run --frozen python -m demo run --help": (
        "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it"
    ),
    **dict.fromkeys(
        ["dbt build --empty", 'dbt build --sample "3 days"'],
        "tests/incremental/test_trials.py::test_trials_leave_alone_what_readers_read",
    ),
    "make serve": "tests/serve/test_examples.py::test_the_command_of_the_documents",
    "python -m scheduler --help": "tests/serve/test_scheduler.py::test_help_says_what_it_does",
    "make dashboard": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    "python -m dashboard --no-browser --allowed-host figures.example.com": (
        "tests/dashboard/test_bad_input.py::test_a_proxys_host_as_the_readme_has_it"
    ),
    "make dashboard STATIC=folder": (
        "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it"
    ),
    "make setup": "tests/setup/test_your_own_database.py::test_your_own_database",
    "make lint": ".ci/run",
    **dict.fromkeys(
        [
            "make inspect",
            "make inspect CHECK=1",
            "make inspect FORCE=1",
            "make panel",
            "make panel BUILD=1",
            "python -m inspect_app --help",
        ],
        "tests/inspecting/test_three_commands.py::test_the_commands_of_the_documents",
    ),
    "make export MONTH=2024-11": "tests/setup/test_clone.py::test_the_demo_as_the_readme_has_it",
    "make export MONTH=2024-11 TO=folder": (
        "tests/export/test_export.py::test_the_command_of_the_documents"
    ),
    **dict.fromkeys(
        [
            "make load-statement FROM=statements",
            "make load-statement FROM=statements TOTAL=1234.56",
            "make load-statement FORGET=2024-05.csv",
        ],
        "tests/statement/test_statement.py::test_the_commands_of_the_documents",
    ),
    **dict.fromkeys(
        ["make audit MONTH=2024-11", "make audit MONTH=2024-11 TO=pack.xlsx"],
        "tests/export/test_audit.py::test_the_command_of_the_documents",
    ),
    "make notify": "tests/alerts/test_alerts.py::test_the_commands_of_the_documents",
    "make notify DRY_RUN=1": "tests/alerts/test_alerts.py::test_the_commands_of_the_documents",
    '*/5 * * * * . "$HOME/paygen.env" && cd "$HOME/paygen" && make notify': (
        "tests/alerts/test_alerts.py::test_the_commands_of_the_documents"
    ),
    "python -m notify": "tests/alerts/test_alerts.py::test_two_at_once_tell_once",
    **dict.fromkeys(
        [
            ".tools/bin/uv run --frozen dbt parse",
            ".tools/bin/uv run --frozen mf validate-configs",
            ".tools/bin/uv run --frozen mf list metrics",
            ".tools/bin/uv run --frozen mf query --metrics generations,success_rate"
            " --group-by metric_time__month",
            ".tools/bin/uv run --frozen mf query --saved-query providers_by_month",
            "mf",
            "mf query",
        ],
        "tests/semantic/test_metrics.py::test_the_commands_of_the_documents",
    ),
    "make test": ".ci/run",
    "make test-bi": "tests/docs/test_contributing.py::test_the_tests_of_bi_are_found",
    "make test-spark": "tests/docs/test_contributing.py::test_the_tests_of_spark_are_found",
    "make setup-spark": "tests/docs/test_contributing.py::test_the_tests_of_spark_are_found",
    "dbt build --target spark": "tests/spark/test_spark.py::test_sample",
    "make spark-load TO=/data/app": "tests/spark/test_spark.py::test_sample",
    "make spark-load": "tests/spark/test_spark.py::test_sample",
    "make spark-publish": "tests/spark/test_spark.py::test_sample",
    "python -m local_spark": "tests/spark/test_alone.py::test_the_command_of_the_documents",
    "make test-long": "tests/docs/test_contributing.py::test_the_long_tests_are_found",
    ".tools/bin/uv run --frozen python -m lint --quick": (
        "tests/docs/test_contributing.py::test_git_runs_the_checks"
    ),
    ".tools/bin/uv run --frozen pre-commit install": (
        "tests/docs/test_contributing.py::test_git_runs_the_checks"
    ),
    ".tools/bin/uv run --frozen pytest tests/docs/test_links.py -q": (
        "tests/docs/test_contributing.py::test_one_test_is_run"
    ),
    ".tools/bin/uv run --frozen pytest tests/docs -k variable -q": (
        "tests/docs/test_contributing.py::test_one_test_is_run"
    ),
    "make lint test": ".ci/run",
    "make bench": "tests/setup/test_clone.py::test_the_bench_at_a_small_scale",
    "make bench SCALE=10000000": "tests/setup/test_clone.py::test_the_bench_at_a_small_scale",
    **dict.fromkeys(
        [
            ".tools/bin/uv run --frozen --group bench-page python -m bench.page",
            ".tools/bin/uv run --frozen --group bench-page python -m bench.page --folder /tmp/bench"
            " --scale 10000000",
        ],
        "tests/setup/test_clone.py::test_the_bench_of_the_page_at_a_small_scale",
    ),
    ".tools/bin/uv run --frozen --group bench python -m bench.finance": (
        "tests/setup/test_clone.py::test_the_bench_of_finance_at_a_small_scale"
    ),
    ".tools/bin/uv run --frozen --group bench --group scheduler python -m bench.resident": (
        "tests/setup/test_clone.py::test_the_bench_of_the_scheduler_at_a_small_scale"
    ),
    "python -m bench --help": "tests/setup/test_clone.py::test_the_bench_at_a_small_scale",
    "python -m app_scan ../app": "tests/app/test_scan.py::test_the_commands_of_the_documents",
    "dbt run-operation cleanup_credit_pools": "tests/cleanup/test_life.py",
    "dbt run-operation close_month --args '{month: 2024-10, by: Ann Example}'": (
        "tests/closing/test_life.py::test_the_commands_of_the_documents"
    ),
    'cp -R app/apps "app/docs support" ../app/': (
        "tests/app/test_scan.py::test_the_commands_of_the_documents"
    ),
    "dbt retry": "tests/incremental/test_interrupted_runs.py",
    "dbt \N{HORIZONTAL ELLIPSIS}": "README.md",  # heads a column of commands
    ".tools/bin/uv run --frozen": "README.md",  # goes before each of a column
}
SECTIONS_ELSEWHERE = {
    ("docs/statement.md", "Or a table"): "tests/statement/test_long_histories.py",
    ("app_scan/README.md", "The callers of the credit pool"): "tests/app/test_scan.py",
    ("docs/operations.md", "Tables that are not as documented"): "tests/shapes/test_types.py",
    ("docs/operations.md", "Days and shares that are not like those before"): (
        "tests/dashboard/test_weekdays.py::test_a_tolerance_holds_until_its_day"
    ),
    ("docs/mapping.md", "A query in a table's place"): (
        "tests/mapping/test_runs.py::test_a_query_in_the_place_of_a_table"
    ),
    ("docs/closing.md", "Close, verify, reopen"): "tests/closing/test_life.py",
    ("docs/closing.md", "The digest"): "tests/closing/test_life.py",
    ("README.md", "In your own dbt project"): "tests/package/test_package.py",
    ("docs/spark.md", "Set up"): "tests/spark/test_spark.py::test_sample",
    ("docs/spark.md", "The app's tables"): "tests/spark/test_spark.py::test_sample",
    ("docs/spark.md", "The marts back in PostgreSQL"): "tests/spark/test_spark.py::test_sample",
    (
        "docs/spark.md",
        "Exports of your own",
    ): "tests/spark/test_spark.py::test_the_tables_of_the_document",
    **{
        ("docs/mapping.md", shape): "tests/mapping/test_shapes.py"
        for shape in (
            "A ledger of signed amounts",
            "Holds",
            "Prisma",
            "Tasks only",
            "Tasks that say what they took",
            "Ledger only",
        )
    },
    ("README.md", "Your own database"): "tests/setup/test_your_own_database.py",
    ("dbt_pg_python_models/README.md", "dbt-pg-python-models"): (
        "dbt_pg_python_models/tests/test_wheel.py"
    ),
    ("dbt_pg_python_models/README.md", "Install"): "dbt_pg_python_models/tests/test_wheel.py",
}


def steps(snippet: Snippet) -> list[str]:
    """The single commands of a snippet, without their comments."""
    if snippet.language == "sql":
        return [snippet.text]
    lines = [re.sub(r"\s+# .*$", "", line).strip() for line in snippet.text.splitlines()]
    return [line for line in lines if line and not line.startswith("export ")]


def is_run_here(step: str) -> bool:
    """Whether it is SQL, or a dbt command, which costs too little to be run in a clone."""
    return step not in ELSEWHERE and step.removeprefix(UV_RUN).startswith(
        ("dbt ", "alter role ", "create role ", "select")
    )


ALL = [
    snippet
    for snippet in snippets()
    if (snippet.document, snippet.section) not in SECTIONS_ELSEWHERE
]
# With `uv run` before it, a command does the same.
HERE = list(
    dict.fromkeys(
        step.removeprefix(UV_RUN).removesuffix(" --no-write-json")
        for snippet in ALL
        for step in steps(snippet)
        if is_run_here(step)
    )
)


@pytest.mark.parametrize("snippet", ALL, ids=str)
def test_a_test_runs_it(snippet: Snippet) -> None:
    """Nothing that a reader may copy is left to hope."""
    if snippet.language in ("python", "yaml", "ini"):
        pytest.fail(f"no test runs this block of {snippet.document}: {snippet.text}")
    unknown = [step for step in steps(snippet) if not (is_run_here(step) or step in ELSEWHERE)]
    assert unknown == [], "add these to ELSEWHERE with the test that runs them"


def test_the_tests_named_are_there() -> None:
    """A test that another file is trusted to have, it has."""
    for place in {*ELSEWHERE.values(), *SECTIONS_ELSEWHERE.values()}:
        path, _, name = place.partition("::")
        assert (PROJECT / path).exists(), place
        assert not name or f"def {name}(" in (PROJECT / path).read_text(), place


@pytest.fixture(scope="module")
def built(server: Server) -> AppDatabase:
    """A database with the marts of one task of 2024."""
    database = make_database(server)
    database.insert("enhancement_tasks", task())
    database.insert("credit_transactions", charge())
    database.execute("drop role if exists metabase")
    database.dbt("build", "--resource-type", "model", "seed")
    return database


@pytest.mark.parametrize("step", HERE)
def test_it_does_what_it_says(built: AppDatabase, step: str) -> None:
    """As written, with `...` for a password; dbt's commands against the database of production."""
    if step.startswith("select"):
        assert built.query(TIME_FILTER.sub(r"\1 between '2000-01-01Z' and '2100-01-01Z'", step))
        return
    if not step.startswith("dbt "):
        built.execute(step)
        return
    arguments = shlex.split(step.removeprefix("dbt "))
    # The database is small: what is asked here is the command, and not the Python models.
    extra = ["--resource-type", "model", "seed"] if arguments[0] == "build" else []
    result = built.dbt(*arguments, *extra, expect_success=False, reports=True)
    if arguments[:2] == ["source", "freshness"]:
        statuses = {
            each.node.name: str(each.status)
            for each in result.result.results
            if each.node.resource_type == "source"
        }
        assert statuses == {"enhancement_tasks": "error", "credit_transactions": "error"}
    else:
        assert result.success, messages(result)


def test_the_columns_that_may_be_summed_are_those_that_the_export_sums() -> None:
    """docs/bi/README.md names them, and gives none of them among those without a sum."""
    (section,) = re.findall(r"(?ms)^## What may be summed$(.+?)^## ", read("docs/bi/README.md"))
    summed, _, others = section.partition("These have none:")
    assert set(re.findall(r"`(\w+)`", summed)) == SUMMED
    assert not set(re.findall(r"`(\w+)`", others.split("\n- ")[0])) & SUMMED


def test_every_mart_of_a_bi_tool_has_its_question() -> None:
    """docs/bi/README.md says what each mart that a BI tool may read is for."""
    exposures = yaml.safe_load((PROJECT / "models" / "_exposures.yml").read_text())["exposures"]
    (tool,) = (each for each in exposures if each["name"] == "bi_tool")
    read_by_it = {ref[5:-2] for ref in tool["depends_on"]}
    (section,) = re.findall(
        r"(?ms)^## Which marts to take first$(.+?)^## ", read("docs/bi/README.md")
    )
    assert read_by_it - set(re.findall(r"`(\w+)`", section)) == set()


def test_every_variable_is_documented_and_every_documented_one_is_there() -> None:
    """docs/variables.md and dbt_project.yml name the same variables and the same defaults."""
    variables = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    rows = [line for line in read("docs/variables.md").splitlines() if line.startswith("| `")]
    documented = {}
    for row in rows:
        names, default = (cell.strip() for cell in row.strip("|").split("|")[:2])
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", names), default.strip("`"))
    assert documented.keys() | {"cleanup"} == variables.keys()
    for name, default in documented.items():
        if default in ("none", "run's start"):
            assert variables[name] is None, name
        elif default == "as named":
            assert variables[name] == name.removesuffix("_table"), name
        else:
            assert variables[name] == yaml.safe_load(default), name
