"""Run every linter and say of each whether it passed: `python -m lint`.

`--quick` leaves out what needs a server, or dbt's manifest.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console

from local_postgres import server as embedded
from local_postgres.databases import NAME, create_app_database, environment

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "target" / "lint"
SQL_FOLDERS = [name for name in ("models", "tests", "analyses") if (PROJECT / name).is_dir()]
QUICK_LINTERS = {
    "Python rules": ["ruff", "check", "."],
    "Python format": ["ruff", "format", "--check", "."],
    "Python types": ["mypy"],
    "YAML keys": [sys.executable, "-m", "lint.yaml_keys"],
    "ASCII in SQL": [sys.executable, "-m", "lint.ascii_sql"],
    "SQL of one engine": [sys.executable, "-m", "lint.dialect"],
}
LINTERS = {
    **QUICK_LINTERS,
    "dbt manifest": ["dbt", "--quiet", "--warn-error", "parse", "--target-path", str(TARGET)],
    "macro descriptions": [sys.executable, "-m", "lint.macro_descriptions", str(TARGET)],
    "dbt conventions": ["dbt-bouncer", "run", "--config-file", "dbt-bouncer.yml"],
    "references in Python models": [sys.executable, "-m", "dbt_pg_python_models.lint", "models"],
    "SQL style": ["sqlfluff", "lint", "--disable-progress-bar", *SQL_FOLDERS],
}


@contextmanager
def app_database() -> Iterator[dict[str, str]]:
    """Start a server with the app's empty tables, and answer libpq's variables for it.

    sqlfluff renders the models as dbt does, and staging asks the server which columns there are.
    """
    with tempfile.TemporaryDirectory(prefix="paygen-lint-") as folder:
        data_directory = Path(folder) / "server"
        server = embedded.start(data_directory)
        try:
            create_app_database(server, NAME)
            yield {**environment(server), "DBT_TARGET": "prod"}
        finally:
            embedded.stop(data_directory)


def main() -> int:
    """Run the linters one after another, all of them, and answer the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lint", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only what needs no server: seconds")
    is_quick = parser.parse_args().quick
    linters = QUICK_LINTERS if is_quick else LINTERS
    console = Console()
    profile = TARGET / "profile"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "profiles.yml").write_text((PROJECT / "profiles.yml.example").read_text())
    failures = []
    server = nullcontext({}) if is_quick else app_database()
    with console.status("starting PostgreSQL"), server as libpq:
        environment = {**os.environ, **libpq, "DBT_PROFILES_DIR": str(profile), "COLUMNS": "160"}
        for name, command in linters.items():
            with console.status(name):
                result = subprocess.run(
                    command, cwd=PROJECT, env=environment, capture_output=True, text=True
                )
            console.print(f"{'failed' if result.returncode else 'passed'}  {name}")
            if result.returncode:
                failures.append(name)
                print(result.stdout, result.stderr, sep="\n")
    if failures:
        console.print("`ruff check --fix` and `ruff format` (under `uv run`) mend most of Python.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
