"""docs/cleanup.md: every command is run as it is written there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from backup.dump import find_programs
from tests.app_database import PROJECT, profiles_directory
from tests.cleanup.operator import OPERATOR, Operator

PAGE = PROJECT / "docs" / "cleanup.md"
ACCEPTED = "function public.sync_analytics_data()"


def sections() -> dict[str, list[str]]:
    """The commands of the page by the heading they stand under, one a line."""
    found: dict[str, list[str]] = {}
    heading = ""
    is_shell = False
    for line in PAGE.read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if line.startswith("```"):
            is_shell = line == "```sh"
        elif is_shell:
            found.setdefault(heading, []).append(line)
    return found


class Shell:
    """Runs commands as a person in the project's folder, with the connection they would have."""

    def __init__(self, operator: Operator, folder: Path):
        database = operator.database
        programs = find_programs(database.server.version, None)
        self.folder = folder
        self.environment = {
            **os.environ,
            **database.environment(OPERATOR),
            "PGSSLMODE": "disable",
            "APP": str(folder / "app"),
            "DBT_PROFILES_DIR": str(profiles_directory()),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "PATH": f"{programs}:{os.environ['PATH']}",
        }

    def run(self, command: str, expect: int = 0, plan_hash: str = "") -> str:
        """One line of the page; dumps are kept in a folder of the test's own."""
        line = command.replace("PLAN_HASH", plan_hash)
        line = re.sub(r"(?<![\w/])(before|after)\.dump", rf"{self.folder}/\1.dump", line)
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; . .venv/bin/activate; {line}"],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        assert done.returncode == expect, f"{line}\n{said}"
        return said


def plan_hash(said: str) -> str:
    """The hash that a command printed for the next one."""
    return re.search(r"plan_hash: ([0-9a-f]{32})", said)[1]


@pytest.mark.long
def test_the_way_there_and_back_is_run_as_written(operator: Operator, tmp_path: Path):
    """Backup, plan, rehearse, apply, watch, restore, purge, and both restores from a dump."""
    if operator.database.server.version != 18:
        pytest.skip("one server is enough: what differs between them, the other tests run")
    page = sections()
    done: list[str] = []

    def take(heading: str) -> list[str]:
        commands = page[next(name for name in page if heading in name)]
        done.extend(commands)
        return commands

    shell = Shell(operator, tmp_path)
    database = operator.database
    # The operator is Supabase's `postgres`: the publications are its own.
    database.execute("alter publication app_changes owner to app_owner")
    before = operator.contents()
    catalogue = operator.catalogue()

    connect = take("The role")
    said = shell.run("; ".join([*connect, "env"]))
    for name in re.findall(r"(\w+)=", " ".join(connect)):
        assert f"\n{name}=" in "\n" + said

    callers(tmp_path / "app")
    found = shell.run(take("Remove the callers")[0])
    assert {line.split(":")[0] for line in found.splitlines()} == set(CALLERS)

    assert "nothing is archived yet" in shell.run(take("Back up")[0])
    plan, accepted = take("3. Plan")
    refused = shell.run(plan, expect=1)
    assert "4 rows" in refused
    assert ACCEPTED in refused
    shell.run(accepted)
    rehearsed = shell.run(take("4. Rehearse")[0])
    apply = take("5. Apply")[0]
    assert shell.run(apply, plan_hash=plan_hash(rehearsed)).count("archived") >= 5
    assert operator.schema_of("credit_pools") == ["cleanup_archive"]
    for command in take("6. Watch"):
        assert "archived" in shell.run(command)
    assert "archived" in shell.run(take("The variable")[0])
    shell.run(take("7. Back")[0])
    assert operator.contents() == before
    assert operator.catalogue() == catalogue

    assert operator.apply().success
    database.execute(
        "update cleanup_archive.cleanup_manifest set archived_at = archived_at - interval '31 days'"
    )
    backup, first, second = take("8. Purge")
    assert "recorded for purge" in shell.run(backup)
    shown = shell.run(first, expect=1)
    assert f'"confirm": "{plan_hash(shown)}"' in shown
    shell.run(second, plan_hash=plan_hash(shown))
    assert operator.schema_of("credit_pools") == []

    for command in take("After a purge"):
        shell.run(command)
    assert operator.contents() == before
    described = in_a_dump(catalogue)
    assert in_a_dump(operator.catalogue()) == described

    database.execute(
        "drop table credit_pools, credit_purchase_requests;"
        "drop function consume_platform_credits(varchar, int, numeric);"
        "delete from system_alerts where type in"
        " ('low_platform_credits', 'credit_refill_success', 'credit_refill_failed')"
    )
    by_hand = take("by hand")
    shell.run(by_hand[0])
    with pytest.raises(AssertionError, match="already exists"):
        shell.run(by_hand[0])
    for command in by_hand[1:]:
        shell.run(command)
    assert operator.contents() == before
    assert in_a_dump(operator.catalogue()) == described

    assert sorted(done) == sorted(line for lines in page.values() for line in lines)


def in_a_dump(catalogue: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """What a dump of the schema holds: no publications, and no oids, which a restored one has anew.

    The triggers of foreign keys are the constraints' own.
    """
    return sorted(
        (
            row["kind"],
            row["owner"],
            row["id"] if row["kind"] == "policy" else "",
            re.sub(r"\|\d{5,}", "|", row["detail"]),
        )
        for row in catalogue
        if row["kind"] != "publication" and "RI_ConstraintTrigger" not in row["detail"]
    )


CALLERS = {
    "api/admin/refill-credits/route.ts": "export async function POST() {}  // refill-credits",
    "api/enhance-image/route.ts": "await db.rpc('consume_platform_credits', {})",
    "api/admin/credit-stats/route.ts": "const path = '/api/admin/credit-stats'",
    "api/credits/buy/route.ts": "const { data } = await db.from('credit_pools').select('*')",
    "components/PayDialog.tsx": "await fetch('/api/admin/credit-stats')",
    "components/Admin.tsx": "<CreditManagementDashboard />",
    "api/status/route.ts": "db.from('api_providers')",
    "lib/credit-manager.ts": "insert({ type: 'low_platform_credits' })",
    "scripts/reset.sql": "create table if not exists credit_purchase_requests ()",
    "types/database.ts": "      credit_pools: { Row: {} }",
    "supabase/cron.sql": "select cron.schedule('x', '@hourly', 'select sync_analytics_data()')",
}


def callers(folder: Path) -> None:
    """An app's repository with a caller of each kind, and a file that is none."""
    for name, text in {**CALLERS, "lib/balance.ts": "db.from('user_credits')"}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def test_the_migration_is_run_as_written(operator: Operator):
    """Twice, and where nothing is left to move."""
    migration = re.search(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    for _ in range(2):
        operator.database.execute(migration, user=OPERATOR)
    assert operator.schema_of("credit_pools") == ["cleanup_archive"]
    assert operator.schema_of("consume_platform_credits") == ["cleanup_archive", "public"]
