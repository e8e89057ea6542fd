"""Run one dbt model in this process. Prints the seconds of the model, dbt's start not counted."""

import sys

from dbt.cli.main import dbtRunner


def main(model: str) -> None:
    """Run `model` of the project in the current folder."""
    outcome = dbtRunner().invoke(["run", "--select", model, "--quiet"])
    if outcome.exception or not outcome.success:
        sys.exit(str(outcome.exception or outcome.result.results[0].message))
    print(outcome.result.results[0].execution_time)


if __name__ == "__main__":
    main(sys.argv[1])
