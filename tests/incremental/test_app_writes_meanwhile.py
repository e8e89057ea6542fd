"""The app writes while the nightly run works: the run ends green, the next one is exact."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random

import pytest

from tests.app_database import AppDatabase, messages
from tests.conftest import make_database
from tests.incremental.rebuild import assert_equals_rebuild, run

PAST = """
insert into user_credits (user_id, current_balance, subscription_tier)
select md5('user ' || n)::uuid, 1000, 'pro' from generate_series(1, 60) as n;
insert into enhancement_tasks
    (id, user_id, provider, enhancement_type, status, cost_usd, created_at, updated_at)
select md5('task ' || n)::uuid, md5('user ' || n % 60 + 1)::uuid, 'seedream', 'image_gen',
    case n % 10 when 0 then 'failed' when 1 then 'pending' else 'completed' end, 0.027,
    now() - n * interval '40 minutes', now() - n * interval '40 minutes' + interval '9 seconds'
from generate_series(1, 1500) as n;
insert into credit_transactions
    (user_id, transaction_type, credits_used, cost_usd, provider, enhancement_type, status,
     api_request_id, created_at)
select user_id, 'deduction', 2, cost_usd, provider, enhancement_type, 'completed', id::text,
    created_at + interval '1 second'
from enhancement_tasks
"""
# What an app does all the time. Each is a transaction of its own; `pick` and `user` change.
TRAFFIC = [
    """with task as (
           insert into enhancement_tasks
               (id, user_id, provider, enhancement_type, status, created_at, updated_at)
           values (gen_random_uuid(), %(user)s, 'wan', 'video_gen', 'pending', now(), now())
           returning *
       )
       insert into credit_transactions (user_id, transaction_type, credits_used, cost_usd,
           provider, enhancement_type, status, api_request_id)
       select user_id, 'deduction', 20, 0.25, provider, enhancement_type, 'completed', id::text
       from task""",
    # Written by a clock that is behind: rows that the run could have seen, had they been there.
    """with task as (
           insert into enhancement_tasks
               (id, user_id, provider, enhancement_type, status, created_at, updated_at)
           values (gen_random_uuid(), %(user)s, 'wan', 'video_gen', 'completed',
               now() - %(pick)s * interval '1 hour', now())
           returning *
       )
       insert into credit_transactions (user_id, transaction_type, credits_used, cost_usd,
           provider, enhancement_type, status, api_request_id, created_at)
       select user_id, 'deduction', 20, 0.25, provider, enhancement_type, 'completed', id::text,
           created_at
       from task""",
    """update enhancement_tasks set status = 'completed', updated_at = now() where id in (
           select id from enhancement_tasks where status in ('pending', 'failed')
           order by md5(id::text || %(pick)s) limit 3)""",
    """with task as (
           update enhancement_tasks set status = 'failed', updated_at = now() where id in (
               select id from enhancement_tasks where status in ('pending', 'completed')
               order by md5(id::text || %(pick)s) limit 2)
           returning *
       )
       insert into credit_transactions
           (user_id, transaction_type, credits_used, status, api_request_id)
       select user_id, 'refund', 2, 'completed', id::text from task""",
    """update credit_transactions set status = 'reversed' where id in (
           select id from credit_transactions order by md5(id::text || %(pick)s) limit 1)""",
    """update credit_transactions set credits_used = credits_used + 1 where id in (
           select id from credit_transactions order by md5(id::text || %(pick)s) limit 1)""",
    """update user_credits set current_balance = current_balance - 2
       where user_id = %(user)s""",
    """insert into user_credits (user_id, current_balance, subscription_tier)
       values (gen_random_uuid(), 10, 'free')""",
    # Not of a user who wrote late: a row that comes and goes within one run leaves no trace.
    """delete from credit_transactions where user_id = %(leaving)s;
       delete from enhancement_tasks where user_id = %(leaving)s;
       delete from user_credits where user_id = %(leaving)s""",
]


class BusyApp(threading.Thread):
    """Writes all the time, until it is told to end."""

    def __init__(self, database: AppDatabase, seed: int):
        super().__init__()
        self.database, self.random = database, Random(seed)
        self.done, self.transactions = threading.Event(), 0

    def run(self) -> None:
        """One change after another."""
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("select distinct user_id from user_credits order by 1")
            users = [row[0] for row in cursor.fetchall()]
            while not self.done.is_set():
                change = self.random.choice(TRAFFIC)
                given = {
                    "user": self.random.choice(users[30:]),
                    "leaving": self.random.choice(users[:30]),
                    "pick": self.random.randrange(400),
                }
                cursor.execute(change, given)
                self.transactions += 1
                time.sleep(0.03)


@contextmanager
def busy(database: AppDatabase, seed: int) -> Iterator[None]:
    """The app writes as long as the block runs."""
    app = BusyApp(database, seed)
    app.start()
    try:
        yield
    finally:
        app.done.set()
        app.join()
    assert app.transactions > 50


KEPT_OR_REJECTED = [
    f"assert_{rows}_are_kept_or_rejected" for rows in ("balances", "ledger_rows", "tasks")
]
# One of each is lost by us, and others of each change in the app at the same time.
LOST = """
delete from analytics.fct_generations where generation_id = (
    select min(generation_id) from analytics.fct_generations where charge_count = 0);
delete from analytics_intermediate.int_ledger_synced where transaction_id = (
    select min(transaction_id) from analytics_intermediate.int_ledger_synced);
delete from analytics.credit_balance_reconciliation where user_id = (
    select min(user_id) from analytics.credit_balance_reconciliation);
"""
CHANGED = """
delete from enhancement_tasks where id = (select max(id::text)::uuid from enhancement_tasks);
delete from credit_transactions where id = (select max(id::text)::uuid from credit_transactions);
insert into user_credits (user_id, current_balance, subscription_tier)
values (gen_random_uuid(), 10, 'free');
insert into enhancement_tasks (enhancement_type, status, created_at)
values ('image_gen', 'completed', now() - interval '9 days')
"""


@pytest.mark.parametrize(
    ("seed", "runs"),
    [
        pytest.param(1, [(), ()], marks=pytest.mark.long),
        *(
            pytest.param(seed, [(), (), ("--full-refresh",), ()], marks=pytest.mark.long)
            for seed in range(2, 12)
        ),
    ],
)
def test_the_nightly_run_is_green_and_the_next_one_exact(server, seed: int, runs: list) -> None:
    """With all data tests; what was written meanwhile is the next run's. What we lose is found."""
    database = make_database(server)
    database.execute(PAST)
    for number, arguments in enumerate(runs):
        with busy(database, seed * 10 + number):
            database.dbt("build", *arguments)

    def failing_tests() -> str:
        selected = ("test", "--select", *KEPT_OR_REJECTED)
        return messages(database.dbt(*selected, variables=as_of, expect_success=False))

    moment = datetime.now(UTC)
    as_of = {"as_of": moment.isoformat()}
    run(database, moment, "UTC", "--exclude", "test_type:unit", "test_type:data")
    database.execute(CHANGED)
    assert failing_tests() == ""
    database.execute(LOST)
    said = failing_tests()
    assert [name for name in KEPT_OR_REJECTED if name in said] == KEPT_OR_REJECTED
    run(database, moment, "UTC")
    assert_equals_rebuild(database, moment, "UTC")
