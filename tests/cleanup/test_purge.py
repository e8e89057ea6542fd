"""Purge: later, rare, and only with a backup that was read back."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backup.dump import BackupError, Table, count_copied, find_programs, read_back
from tests.app_database import PROJECT
from tests.cleanup.operator import OPERATOR, Operator

LONG_AGO = (
    "update cleanup_archive.cleanup_manifest set archived_at = archived_at - interval '31 days'"
)


def back_up(operator: Operator, file: Path) -> subprocess.CompletedProcess:
    """Run the command as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "backup", str(file)],
        cwd=PROJECT,
        env={**os.environ, **operator.database.environment(OPERATOR)},
        capture_output=True,
        text=True,
    )


def test_purge_needs_age_backup_and_its_own_hash(operator: Operator, tmp_path: Path):
    """Purge needs age backup and its own hash."""
    assert operator.apply().success
    with operator.untouched():
        early = operator.run("purge")
        assert early.codes == ["CLEANUP-BACKUP", "CLEANUP-TOO-EARLY"]
        operator.database.execute(LONG_AGO)
        assert operator.run("purge").codes == ["CLEANUP-BACKUP"]

    done = back_up(operator, tmp_path / "pool.dump")
    assert done.returncode == 0, done.stderr
    assert "recorded for purge" in done.stderr
    with operator.untouched():
        missing = operator.run("purge")
        assert missing.codes == ["CLEANUP-STALE-PLAN"]
        assert operator.run("purge", confirm="0" * 32).codes == ["CLEANUP-STALE-PLAN"]

    operator.database.execute("create view pool_view as select * from cleanup_archive.credit_pools")
    confirm = missing.report["plan_hash"]
    with operator.untouched():
        assert operator.run("purge", confirm=confirm).codes == ["CLEANUP-DEPENDENTS"]
    operator.database.execute("drop view pool_view")

    kept = operator.kept()
    assert operator.run("purge", confirm=confirm).success
    assert operator.kept() == kept
    assert operator.schema_of("credit_pools") == []
    assert operator.manifest() == ["purged"] * 4
    assert operator.run("purge", confirm=confirm).report["outcome"] == "nothing to do"
    assert operator.run("verify").success


def test_purge_refuses_what_was_written_to(operator: Operator, tmp_path: Path):
    """Writes that leave the rows as they were show in the counters alone."""
    assert operator.apply().success
    operator.database.execute(LONG_AGO)
    assert back_up(operator, tmp_path / "pool.dump").returncode == 0
    with operator.untouched():
        operator.database.execute(
            "insert into cleanup_archive.credit_pools (provider, cost_per_credit) values ('x', 1);"
            "delete from cleanup_archive.credit_pools where provider = 'x';"
            "select pg_stat_force_next_flush()"
        )
        assert operator.run("purge").codes == ["CLEANUP-ACTIVITY"]
        accepted = operator.run("purge", accept=["table public.credit_pools"])
        assert accepted.codes == ["CLEANUP-STALE-PLAN"]


def test_only_a_whole_backup_made_since_counts(operator: Operator, tmp_path: Path):
    """A backup from before the apply, and one that holds other numbers of rows, are none."""
    assert operator.apply().success
    operator.database.execute(LONG_AGO)
    assert back_up(operator, tmp_path / "pool.dump").returncode == 0
    assert operator.run("purge").codes == ["CLEANUP-STALE-PLAN"]
    for change in (
        "made_at = made_at - interval '32 days'",
        "row_counts = row_counts || '{\"credit_pools\": 2}'",
        "row_counts = row_counts - 'credit_pools'",
    ):
        with operator.untouched():
            operator.database.execute(
                "create table as_recorded as table cleanup_archive.cleanup_backups;"
                f"update cleanup_archive.cleanup_backups set {change}"
            )
            assert "CLEANUP-BACKUP" in operator.run("purge").codes
            operator.database.execute(
                "delete from cleanup_archive.cleanup_backups;"
                "insert into cleanup_archive.cleanup_backups overriding system value"
                " table as_recorded;"
                "drop table as_recorded"
            )
    assert operator.run("purge").codes == ["CLEANUP-STALE-PLAN"]


def test_a_dump_that_is_cut_or_lacks_rows_is_refused(operator: Operator, tmp_path: Path):
    """What is read back must be what was in the database."""
    file = tmp_path / "pool.dump"
    assert back_up(operator, file).returncode == 0
    pg_restore = find_programs(operator.database.server.version, None) / "pg_restore"
    read_back(pg_restore, file, [Table("public", "credit_pools", 3)], [])
    with pytest.raises(BackupError, match="3 of 4 rows of credit_pools"):
        read_back(pg_restore, file, [Table("public", "credit_pools", 4)], [])
    with pytest.raises(BackupError, match=r"lacks table public\.credit_pool$"):
        read_back(pg_restore, file, [Table("public", "credit_pool", 3)], [])
    with pytest.raises(BackupError, match="lacks function"):
        read_back(pg_restore, file, [], ["nothing(integer)"])
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(BackupError):
        read_back(pg_restore, file, [Table("public", "credit_pools", 3)], [])


def test_the_backup_brings_everything_back(operator: Operator, tmp_path: Path):
    """The backup brings everything back."""
    file = tmp_path / "pool.dump"
    before = operator.contents()
    done = back_up(operator, file)
    assert done.returncode == 0, done.stderr
    assert "nothing is archived yet" in done.stderr
    assert file.stat().st_mode & 0o077 == 0
    assert "CREATE" not in done.stdout
    again = back_up(operator, file)
    assert again.returncode == 1
    assert "exists" in again.stderr
    operator.database.execute(
        "create schema safe; alter table credit_pools set schema safe;"
        "alter table credit_purchase_requests set schema safe"
    )
    program = find_programs(operator.database.server.version, None) / "pg_restore"
    for table in ("credit_pools", "credit_purchase_requests"):
        subprocess.run(
            [
                program,
                "--dbname",
                operator.database.name,
                "--host",
                operator.database.server.host,
                "--port",
                str(operator.database.server.port),
                "--username",
                operator.database.server.user,
                "--schema",
                "public",
                "--table",
                table,
                str(file),
            ],
            check=True,
            capture_output=True,
        )
    assert operator.contents() == before


def test_a_client_older_than_the_server_is_refused_in_words(tmp_path: Path):
    """A client older than the server is refused in words."""
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.2'\n")
    old.chmod(0o755)
    (tmp_path / "pg_restore").write_text("")
    with pytest.raises(BackupError, match=r"server is PostgreSQL 18.*has 14.*postgresql-client-18"):
        find_programs(18, tmp_path)


def test_rows_of_a_dump_are_counted_by_their_copy_blocks():
    """Rows of a dump are counted by their copy blocks."""
    script = (
        "x\nCOPY public.a (b) FROM stdin;\n1\n2\\n3\n\\.\n\nCOPY public.c (d) FROM stdin;\n\\.\n"
    )
    assert count_copied(script) == 2
