"""Run one dbt model in this process. Prints the model's seconds.

dbt's start is not counted, and neither are the imports of pandas and of the runtime.
"""

import contextlib
import sys

import pandas  # noqa: F401
from dbt.cli.main import dbtRunner

with contextlib.suppress(ImportError):  # dbt-pybridge is imported by dbt's start
    import dbt_pg_python_models.submission  # noqa: F401


def main(model: str) -> None:
    """Run `model` of the project in the current folder."""
    outcome = dbtRunner().invoke(["run", "--select", model, "--quiet"])
    if outcome.exception or not outcome.success:
        sys.exit(str(outcome.exception or outcome.result.results[0].message))
    print(outcome.result.results[0].execution_time)


if __name__ == "__main__":
    main(sys.argv[1])
