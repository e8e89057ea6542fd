"""`python -m backup FILE`: dump, read back, record for `purge`."""

import argparse
import sys
from pathlib import Path

import psycopg2
import yaml
from rich.console import Console

from backup.dump import BackupError, make_backup

PROJECT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run the command; 1 where there is no backup to trust."""
    parser = argparse.ArgumentParser(
        prog="python -m backup",
        description="pg_dump -Fc of what cleanup_credit_pools touches, read back with pg_restore"
        " and recorded for purge. Connects by libpq's variables (PGHOST, PGDATABASE, PGUSER, …).",
    )
    parser.add_argument("file", type=Path, help="the dump to write; it must not exist yet")
    parser.add_argument("--bin", type=Path, help="folder of pg_dump and pg_restore")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    config = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]["cleanup"]
    try:
        with console.status("dumping, then reading the dump back"):
            backup = make_backup(config, arguments.file, arguments.bin)
    except (BackupError, psycopg2.Error) as problem:
        console.print(f"no backup was made: {str(problem).strip()}", markup=False)
        return 1
    for name, count in backup.row_counts.items():
        console.print(
            f"{count:>10}  {name}" if count is not None else f"{'':>10}  {name}", markup=False
        )
    console.print(f"sha256 {backup.sha256}  {arguments.file}", soft_wrap=True)
    console.print(
        "recorded for purge"
        if backup.is_recorded
        else "nothing is archived yet: before a purge, make another backup",
    )
    console.print("next: dbt run-operation cleanup_credit_pools   (docs/cleanup.md)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
