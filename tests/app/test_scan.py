"""The scanner finds every caller in a checkout of the app, and nothing else."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from app_scan import checkout, retired
from app_scan.apart import ParserCrash, run_apart
from app_scan.checkout import scan, scan_text
from app_scan.findings import Report
from app_scan.sql import scan_sql
from app_scan.uses import Use
from tests.app.checkout import FILES, expected, write
from tests.app_database import PROJECT
from tests.docs.documents import commands

UV_RUN = ".tools/bin/uv run --frozen python "


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command as a user gives it."""
    return subprocess.run(
        [sys.executable, "-m", "app_scan", *map(str, arguments)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def scanned(folder: Path, files: dict[str, str], **options: bool) -> Report:
    """What is found in some files."""
    return scan(write(folder, files), retired.names(**options))


def action_of(report: Report, path: str, line: int, name: str) -> str:
    """What is to be done about one finding."""
    (finding,) = [
        each for each in report.findings if (each.path, each.line, each.name) == (path, line, name)
    ]
    return finding.action


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What is found in the made-up checkout."""
    return scan(write(tmp_path_factory.mktemp("checkout")), retired.names())


def test_every_caller_is_found_and_nothing_else(report: Report) -> None:
    found = {(each.path, each.line, each.kind, each.name) for each in report.findings}
    assert sorted(found - expected()) == [], "reported, though it is no use"
    assert sorted(expected() - found) == [], "not found"
    assert report.notes == []


NOTATIONS = {
    "a.ts": [
        "const pool = ['credit', 'pools'].join('_');",
        "const same = 'credit_'.concat('pools');",
        "const names = { prefix: 'credit_', of: { pools: 'pools' } } as const;",
        "supabase.from(names.prefix + names.of.pools);  // found",
        "supabase.from(`${names.prefix}pools`);  // found",
        "enum Table { Pools = 'credit_pools' }",
        "supabase['from']('credit_pools');",
        "supabase?.from?.(`credit_pools`);",
        "supabase.from('orders').select('*, pool:credit_pools!inner(id)');",
        "supabase.rpc<'consume_platform_credits', X>('consume_platform_credits', given);",
        "type Row = Database['public']['Tables']['credit_pools']['Row'];",
        "await sql`select * from ${sql('credit_pools')}`;",
        "await sql`select * from credit_${'pools'}`;",
        "const pattern = /^credit_pools$/;",
        "export { consume_platform_credits as consume } from './rpc';",
        "execSync('psql -c \"select * from credit_pools\"');",
        "const fn = 'consume_platform_credits' satisfies Name;",
        "const other = ['credit', 'cards'].join('_'), pools = 'swimming'.concat('pools');  // none",
    ],
    "supabase/functions/pool/index.ts": [
        'import { createClient } from "https://esm.sh/@supabase/supabase-js@2";  // none',
        'Deno.serve(async () => (await admin.schema("public").from("credit_pools").select()));',
        'await client.queryObject`update public."credit_pools" set x = 1`;',
    ],
    "a.sql": [
        "do $$ begin execute 'delete from ' || 'credit_' || 'pools'; end $$;",
        "select concat('credit_', 'pools');",
        "select 'credit_', 'pools';  -- none",
    ],
    "a.sh": [
        "prefix=credit_",
        'psql -c "select * from ${prefix}pools"',
        "for each in credit_{users,pools}; do echo $each; done",
        'psql <<< "select 1 from credit_pools"',
        "for each in credit_{users,cards}; do echo $each; done  # none",
    ],
    ".env.local": ["TABLE=credit_pools"],
    "Dockerfile": ["RUN seed credit_pools"],
    "prisma/schema.prisma": ["model credit_pools {"],
    "pool.vue": ["<script>supabase.from('credit_pools')</script>"],
    "package.json": ['{"scripts": {"pool": "psql -c \\"select * from credit_pools\\""}}'],
}
# Lines that only say a part of a name, which another line puts together.
PARTS = ("const names", "prefix=")


def test_other_notations_are_read(tmp_path: Path) -> None:
    """Names that are put together, of languages without a reader, and of what runs in Deno."""
    files = {path: "\n".join(lines) for path, lines in NOTATIONS.items()}
    report = scanned(tmp_path, files)
    found = {(each.path, each.line) for each in report.findings}
    assert found == {
        (path, number)
        for path, lines in NOTATIONS.items()
        for number, line in enumerate(lines, start=1)
        if "none" not in line and not line.startswith(PARTS)
    }
    assert report.notes == []


def test_what_a_person_must_judge_is_told_apart(report: Report) -> None:
    doubtful = {
        (each.path.rpartition("/")[2], each.line)
        for each in report.findings
        if each.certainty == "check"
    }
    manager, status = "credit-manager.ts", "route.ts"
    assert (manager, 8) in doubtful, "a name in a message"
    assert (status, 12) in doubtful, "an address that is built at run time"
    assert ("PaymentDialog.tsx", 2) in doubtful, "credit-stats stays"
    assert (manager, 5) not in doubtful
    assert ("001_pools.sql", 3) not in doubtful


def test_each_finding_says_what_to_do(report: Report) -> None:
    enhance = "apps/web/app/api/enhance-image/route.ts"
    assert "other arguments" in action_of(report, enhance, 6, "consume_platform_credits")
    manager = "apps/web/lib/credit-manager.ts"
    assert "other arguments" not in action_of(report, manager, 7, "consume_platform_credits")
    types = "apps/web/types/database.types.ts"
    for line, name in ((5, "credit_pools"), (7, "available_balance")):
        assert "Generate the types again" in action_of(report, types, line, name)
    pools = "supabase/migrations/001_pools.sql"
    assert "brings the table back" in action_of(report, pools, 3, "credit_pools")
    drop = (
        FILES[pools]
        .split("\n")
        .index(next(line for line in FILES[pools].split("\n") if line.startswith("drop table")))
    )
    assert "archives the table" in action_of(report, pools, drop + 1, "credit_purchase_requests")
    assert all(each.action.endswith(".") for each in report.findings)


def test_a_column_alone_may_be_of_another_table(tmp_path: Path) -> None:
    """Nor does a view break that has such a column and none of the tables."""
    view = "create view job_costs as select estimated_cost from jobs;\nselect * from job_costs;"
    (found,) = scanned(tmp_path, {"a.sql": view}).findings
    assert (found.line, found.name, found.certainty) == (1, "estimated_cost", "check")
    view += "select amount_requested from credit_purchase_requests;"
    assert {each.certainty for each in scanned(tmp_path, {"a.sql": view}).findings} == {"sure"}


def test_api_providers_stay_unless_asked(tmp_path: Path) -> None:
    path = "apps/web/app/api/providers/route.ts"
    assert scanned(tmp_path, {path: FILES[path]}).findings == []
    (found,) = scanned(tmp_path, {path: FILES[path]}, include_api_providers=True).findings
    assert (found.kind, found.name) == ("table", "api_providers")


def test_the_commands_of_the_documents(tmp_path: Path) -> None:
    """Copied as app/README.md says, the files are found no more; the rest of the callers are."""
    app = write(tmp_path / "app")
    scans = commands("app_scan/README.md", "The callers of the credit pool")
    (copy,) = commands("app/README.md", "Put it in")
    assert copy.startswith("cp ")
    for command in (*scans, copy):
        done = subprocess.run(
            [
                "bash",
                "-c",
                command.replace(UV_RUN, f"{sys.executable} ").replace("../app", str(app)),
            ],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (int(command != copy), ""), command
    left = {each.path for each in scan(app, retired.names()).findings}
    assert left == {path for path, *_ in expected()} - {
        "apps/web/app/api/admin/credit-stats/route.ts",
        "apps/web/app/components/CreditManagementDashboard.tsx",
        "docs support/credit_management_system.md",
    }


def test_what_app_has_instead_is_clean() -> None:
    """Once it is copied, nothing of it is reported."""
    report = scan(PROJECT / "app", retired.names())
    assert (report.findings, report.notes) == ([], [])
    assert report.files >= 4


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.sql", "select 'it is left open;\nselect * from credit_pools;\n"),
        ("a.ts", "const x = {{{ ;\nawait db.from('credit_pools').select(;\n"),
        ("typed.ts", "await sql<Pool[]>`\nselect 1 from credit_pools`;\n"),
        ("a.sh", "if then fi (\npsql -c 'select 1 from credit_pools'\n"),
    ],
)
def test_a_broken_file_is_named_and_read_all_the_same(tmp_path: Path, path: str, text: str) -> None:
    report = scanned(tmp_path, {path: text})
    assert [(each.line, each.name) for each in report.findings] == [(2, "credit_pools")]
    assert report.notes[0].startswith(f"{path}: ")


def parsed(language: str, text: str) -> list[Use]:
    """The uses that a parser finds; a text that crashes it is passed over."""
    try:
        return run_apart(checkout.scan_parsed, language, text, retired.names())[0]
    except ParserCrash:
        reject()


@given(noise=st.text(st.characters(exclude_characters="\r\n\0\x85\u2028\u2029")))
@settings(deadline=None)
def test_whatever_a_comment_says_it_is_no_use_and_hides_none(noise: str) -> None:
    """All of it is skipped, quotes and names included, and the next line is read."""
    noise = noise.replace("*/", "").encode(errors="ignore").decode()
    names = retired.names()
    for scanned, line in (
        (scan_sql(f"-- credit_pools {noise}\nselect 1 from credit_pools;", names).uses, 2),
        (parsed("tsx", f"// credit_pools {noise}\nf('credit_pools');"), 2),
        (parsed("typescript", f"/* {noise}\n*/ f(`credit_pools`);"), 2),
        (parsed("shell", f"# credit_pools {noise}\npg_dump -t credit_pools\n"), 2),
    ):
        assert [(use.line, use.name) for use in scanned] == [(line, "credit_pools")]


@given(text=st.text())
@settings(deadline=None)
def test_no_text_breaks_the_scanner(text: str) -> None:
    """Whatever the rest of a file is: an answer, and no error."""
    text = f"{text}credit_pools{text}"
    names = retired.names()
    text = text.encode(errors="ignore").decode()
    for language in ("sql", "shell", "typescript", "tsx", "yaml", "words"):
        scan_text(language, text, names)
    scan_text("json", json.dumps({"text": text}), names)


def crash(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def test_a_parser_that_crashes_costs_its_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a file is read word by word, and named."""
    with pytest.raises(ParserCrash):
        run_apart(crash)
    assert run_apart(len, "abc") == 3
    monkeypatch.setattr(checkout, "scan_parsed", crash)
    report = scanned(tmp_path, {"a.sh": "psql -c 'select 1 from credit_pools'", "b.sql": "--"})
    assert [(each.path, each.name) for each in report.findings] == [("a.sh", "credit_pools")]
    assert report.notes == ["a.sh: its parser crashed, so it was read word by word"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str) -> None:
    text = "-- \N{LATIN SMALL LETTER E WITH ACUTE}\r\nselect 1\r\nfrom credit_pools;\r\n"
    (tmp_path / "a.sql").write_bytes(text.encode(encoding))
    (found,) = scan(tmp_path, retired.names()).findings
    assert found.line == 3


def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    (tmp_path / "dump.sql").write_bytes(b"--" + b" " * (9 << 20))
    assert scan(tmp_path, retired.names()).notes == [
        "dump.sql: is larger than 8 MiB and was not read"
    ]


def test_a_link_out_of_the_checkout_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, {"a.sql": "select * from credit_pools;"})
    inside = tmp_path / "inside"
    write(inside, {"b.sql": "select 1;"})
    (inside / "link").symlink_to(outside)
    (inside / "a.sql").symlink_to(outside / "a.sql")
    assert scan(inside, retired.names()).findings == []


def test_exit_codes_and_json(tmp_path: Path) -> None:
    write(tmp_path / "app")
    result = run(tmp_path / "app", "--json")
    assert result.returncode == 1, result.stderr
    document = json.loads(result.stdout)
    assert {(each["path"], each["line"]) for each in document["findings"]} == {
        each[:2] for each in expected()
    }
    text = run(tmp_path / "app")
    assert text.returncode == 1
    assert "scripts/refill.sh\n      4  route refill-credits, request: Delete" in text.stdout
    assert text.stdout.splitlines()[-1].endswith("to look at.")

    write(tmp_path / "clean", {"a.ts": "export const a = 1;\n"})
    clean = run(tmp_path / "clean")
    assert (clean.returncode, clean.stderr) == (0, "")

    (tmp_path / "empty").mkdir()
    for folder, sentence in (
        (tmp_path / "nowhere", "is no folder"),
        (tmp_path / "app" / "vercel.json", "is no folder"),
        (tmp_path / "empty", "is it the app's checkout?"),
    ):
        refused = run(folder)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert sentence in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert "exit codes" in run("--help").stdout
