"""Scheduled runs against full rebuilds: after each, both give the same tables, row by row."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.histories import HistoryGenerator, load_rows, with_keys
from tests.incremental.rebuild import assert_equals_rebuild, run
from tests.oracle import AppTables
from tests.table_shapes import LOOSE, loosen

START = datetime(2025, 1, 10, tzinfo=UTC)
DAYS = 40
LOOKBACK = timedelta(days=3)
TIMEZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
HISTORIES_PER_DATABASE = 5
RUNS = 4
NIGHTLY = ("--exclude", "test_type:unit", "test_type:data")


class LivingApp:
    """An app whose tables fill and change between runs, as far back as a run promises to look."""

    def __init__(self, database: AppDatabase, seed: int, keyed: bool):
        self.database = database
        self.random = Random(seed)
        self.now = START
        moments = [
            START + timedelta(days=self.random.uniform(0, DAYS))
            for _ in range(HISTORIES_PER_DATABASE * 3)
        ]
        histories = [
            HistoryGenerator(seed * 100 + number // 3, moment).write(25)
            for number, moment in enumerate(moments)
        ]
        written = AppTables(
            **{
                table: [row for history in histories for row in getattr(history, table)]
                for table in LOOSE
            }
        )
        self.waiting = vars(with_keys(written) if keyed else written)

    def live(self, until: datetime) -> None:
        """Write what was created by then, and change what is recent."""
        for table, rows in self.waiting.items():
            due = [row for row in rows if (row.get("created_at") or START) <= until]
            load_rows(self.database, table, due)
            self.waiting[table] = [row for row in rows if row not in due]
        self.now = max(self.now, until)
        changes = self.random.sample(RECENT_CHANGES, 3)
        # Old tasks that have not ended change seldom: where none did, a run leaves them alone.
        if self.random.random() < 0.4:
            changes.append(self.random.choice(CHANGES_OF_OPEN_TASKS))
        for change in changes:
            self.database.execute(
                change,
                {
                    "recent": self.now - LOOKBACK + timedelta(minutes=1),
                    "now": self.now,
                    "pick": self.random.randrange(5),
                },
            )


# Each changes about a fifth of what it may: rows of the last days, tasks that have not ended.
PICKED = "abs(hashtext(coalesce(cast(id as text), '') || %(pick)s)) %% 5 = 0"
OPEN_STATUS = "lower(trim(coalesce({0}.status, ''))) in ('', 'pending', 'processing', 'exploded')"
# No copy of it has ended: which of an old task's copies counts is decided when it is read.
OPEN = f"""not exists (
        select 1 from enhancement_tasks as copy
        where lower(trim(cast(copy.id as text))) = lower(trim(cast(enhancement_tasks.id as text)))
            and not {OPEN_STATUS.format("copy")}
    ) and {OPEN_STATUS.format("enhancement_tasks")}"""
RECENT_CHANGES = [
    f"update enhancement_tasks set status = 'failed' where created_at > %(recent)s and {PICKED}",
    f"update enhancement_tasks set cost_usd = 0.5 where created_at > %(recent)s and {PICKED}",
    f"update credit_transactions set cost_usd = 0.3 where created_at > %(recent)s and {PICKED}",
    f"delete from enhancement_tasks where created_at > %(recent)s and {PICKED}",
    f"delete from credit_transactions where created_at > %(recent)s and {PICKED}",
    f"""insert into credit_transactions (id, user_id, transaction_type, credits_used, status,
            api_request_id, created_at)
        select gen_random_uuid(), user_id, 'refund', 2, 'completed', cast(id as text), %(now)s
        from enhancement_tasks where {PICKED}""",
    f"""insert into credit_transactions (id, user_id, transaction_type, credits_used, status,
            created_at)
        select gen_random_uuid(), user_id, 'refund', 2, 'completed', %(now)s
        from enhancement_tasks where status = 'failed' and {PICKED}""",
    f"""insert into credit_transactions (id, user_id, transaction_type, credits_used, cost_usd,
            provider, enhancement_type, status, api_request_id, created_at)
        select gen_random_uuid(), user_id, 'deduction', 2, 0.038, provider, enhancement_type,
            'completed', cast(id as text), %(now)s
        from enhancement_tasks where {PICKED}""",
]
CHANGES_OF_OPEN_TASKS = [
    f"""update enhancement_tasks set status = 'failed', failed_at = %(now)s
        where {OPEN} and {PICKED}""",
    f"""update enhancement_tasks set status = 'completed', completed_at = %(now)s, cost_usd = 0.027
        where {OPEN} and {PICKED}""",
    f"delete from enhancement_tasks where {OPEN} and {PICKED}",
]


# What an app does to its past: accounts go, rows come late, an old row is corrected.
ACCOUNT = """(select user_id from enhancement_tasks where user_id is not null
              order by md5(cast(user_id as text) || %(pick)s) limit 1)"""
OLD_CHANGES = [
    f"""create temporary table gone as select {ACCOUNT} as user_id;
        delete from enhancement_tasks using gone where enhancement_tasks.user_id = gone.user_id;
        delete from credit_transactions using gone
            where credit_transactions.user_id = gone.user_id;
        drop table gone""",
    f"""create temporary table gone as select {ACCOUNT} as user_id;
        update enhancement_tasks set user_id = null from gone
            where enhancement_tasks.user_id = gone.user_id;
        update credit_transactions set user_id = null from gone
            where credit_transactions.user_id = gone.user_id;
        drop table gone""",
    f"delete from credit_transactions where {PICKED}",
    f"delete from enhancement_tasks where {PICKED}",
    f"update enhancement_tasks set status = 'failed', failed_at = created_at where {PICKED}",
    f"update credit_transactions set credits_used = 1, cost_usd = 0.2 where {PICKED}",
    f"""update credit_transactions set created_at = created_at - interval '4 days 3 minutes'
        where {PICKED}""",
    f"update enhancement_tasks set created_at = created_at + interval '7 days' where {PICKED}",
    f"""insert into credit_transactions (id, user_id, transaction_type, credits_used, status,
            enhancement_type, created_at)
        select gen_random_uuid(), user_id, 'deduction', credits_used, 'failed', enhancement_type,
            created_at + interval '2 minutes'
        from credit_transactions where transaction_type = 'deduction' and {PICKED}""",
    f"""insert into credit_transactions (id, user_id, transaction_type, credits_used, status,
            created_at)
        select gen_random_uuid(), user_id, 'refund', 2, 'completed', created_at + interval '1 hour'
        from enhancement_tasks where {PICKED}""",
    f"""insert into enhancement_tasks (id, user_id, status, provider, cost_usd, created_at)
        select gen_random_uuid(), user_id, 'failed', 'wan', 0.25, created_at + interval '9 minutes'
        from enhancement_tasks where {PICKED}""",
]


# Among them `as_of` goes back to before the copy of a task that counted (3), a refund is for
# what failed before all that changed (6).
GATE = [6]


@pytest.mark.parametrize(
    "seed",
    [seed if seed in GATE else pytest.param(seed, marks=pytest.mark.long) for seed in range(46)],
)
def test_runs_equal_full_rebuild(server, seed: int) -> None:
    """Every other app has keys, as the real one does: the ledger is then read by window.

    Every fifth has no rows at first, and runs may be far apart; the others are in full traffic.
    """
    database = make_database(server)
    keyed = seed % 2 == 0
    loosen(database, keyed)
    app = LivingApp(database, seed, keyed)
    zone = TIMEZONES[seed % len(TIMEZONES)]
    as_of, steps = START, [-4, 0.1, 1, 5, 12]
    if seed % 5:
        as_of, steps = START + timedelta(days=DAYS / 2), [-4, 0.1, 0.5, 1, 2, 5]
        app.live(as_of)
    run(database, as_of, zone, "--exclude", "test_type:unit", "test_type:data")
    for _ in range(RUNS):
        as_of = max(as_of + timedelta(days=app.random.choice(steps)), START)
        app.live(as_of)
        run(database, as_of, zone, "--selector", "frequent")
        assert_equals_rebuild(database, as_of, zone)


@pytest.mark.parametrize(
    ("seed", "runs"),
    [(2, 2), *(pytest.param(seed, RUNS, marks=pytest.mark.long) for seed in range(40))],
)
def test_nightly_runs_equal_full_rebuild(server, seed: int, runs: int) -> None:
    """Whatever changed anywhere in history is found at night, and nothing else is needed.

    Frequent runs between the nights see only their look-back.
    """
    database = make_database(server)
    keyed = seed % 2 == 0
    loosen(database, keyed)
    app = LivingApp(database, seed + 500, keyed)
    zone = TIMEZONES[seed % len(TIMEZONES)]
    as_of = START + timedelta(days=DAYS / 2)
    app.live(as_of)
    run(database, as_of, zone, *NIGHTLY, reports=True)
    for number in range(runs):
        as_of += timedelta(days=app.random.choice([0.1, 0.5, 1, 5]))
        app.live(as_of)
        for change in app.random.sample(OLD_CHANGES, 2):
            database.execute(change, {"pick": app.random.randrange(5)})
        if app.random.random() < 0.5:
            run(database, as_of, zone, "--selector", "frequent", check=False)
        run(database, as_of, zone, *NIGHTLY, reports=True)
        # What an earlier night did wrong, a later one would not put right.
        assert_equals_rebuild(database, as_of, zone, at_night=number == runs - 1)
