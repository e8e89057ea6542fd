"""For any history: figures as reported + restatements = figures now."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from tests.app_database import BUILD_ROLE, AppDatabase
from tests.closing.record import (
    Key,
    assert_reported_and_restated_make_now,
    closed_now,
    operate,
)
from tests.conftest import make_database
from tests.histories import HistoryGenerator, load, load_rows, with_keys, write_histories
from tests.table_shapes import loosen

AS_OF = datetime(2025, 3, 20, tzinfo=UTC)
# Around the ends of months, which the zones cut elsewhere.
MOMENTS = [
    *(datetime(2024, 12, 30, tzinfo=UTC), datetime(2025, 1, 14, tzinfo=UTC)),
    *(datetime(2025, 1, 31, tzinfo=UTC), datetime(2025, 2, 27, tzinfo=UTC)),
]
MONTHS = ["2024-12", "2025-01", "2025-02"]


class Life:
    """An app whose months close, while it goes on writing about the past."""

    def __init__(self, database: AppDatabase, seed: int):
        self.database, self.random = database, Random(seed)
        self.variables = {"as_of": AS_OF.isoformat(), "reporting_timezone": "UTC"}
        self.reported: dict[str, dict[Key, Decimal]] = {}
        self.generators = 0

    def build(self, *arguments: str) -> None:
        """Run the models, nightly ones included, unless told a selector."""
        self.database.dbt(
            *("build", "--resource-type", "model", *arguments),
            variables=self.variables,
            reports=True,
        )

    def check(self) -> None:
        """The sum holds to the last digit, and nobody altered what was kept."""
        assert_reported_and_restated_make_now(self.database, self.reported)
        operate(self.database, "verify_closes", variables=self.variables)

    def close(self) -> None:
        """Close the next month, or one that was reopened."""
        month = next((month for month in MONTHS if month not in self.reported), None)
        if month is None:
            return
        operate(
            self.database, "close_month", variables=self.variables, month=month, by="Ann Example"
        )
        self.reported[month] = closed_now(self.database, month)

    def reopen(self) -> None:
        """Reopen any month that is closed."""
        if self.reported:
            month = self.random.choice(sorted(self.reported))
            operate(self.database, "reopen_month", variables=self.variables, month=month, by="Bob")
            del self.reported[month]

    def write_late(self) -> None:
        """Rows of every kind, with every defect, in a month that is over."""
        self.generators += 1
        seed = self.random.randrange(10**6) * 100 + self.generators
        history = with_keys(HistoryGenerator(seed, self.random.choice(MOMENTS)).write(8))
        load_rows(self.database, "enhancement_tasks", history.enhancement_tasks)
        load_rows(self.database, "credit_transactions", history.credit_transactions)

    def delete(self) -> None:
        """Rows of the past go."""
        table = self.random.choice(["enhancement_tasks", "credit_transactions"])
        self.change(f"delete from {table}", table, 4)

    def correct(self) -> None:
        """Rows of the past are changed, or move to another month."""
        column, values = self.random.choice(
            [
                ("status", ["'completed'", "'failed'", "'cancelled'"]),
                ("provider", ["'wan'", "'seedream'", "null"]),
                ("cost_usd", ["0.0000004", "1.25", "null"]),
                ("created_at", ["created_at + interval '20 days'"]),
            ]
        )
        table = self.random.choice(["enhancement_tasks", "credit_transactions"])
        self.change(f"update {table} set {column} = {self.random.choice(values)}", table, 5)

    def delete_account(self) -> None:
        """A user's rows stay, and are nobody's."""
        for table in ("enhancement_tasks", "credit_transactions"):
            self.database.execute(
                f"""update {table} set user_id = null where user_id = (
                        select user_id from enhancement_tasks where user_id is not null
                        order by md5(user_id::text || %s) limit 1)""",
                [str(self.random.random())],
            )

    def change(self, statement: str, table: str, rows: int) -> None:
        """Change some rows of months that are over."""
        self.database.execute(
            f"""{statement} where id in (
                    select id from {table} where created_at < '2025-03-01Z'
                    order by md5(id::text || %s) limit {rows})""",
            [str(self.random.random())],
        )

    def change_price(self) -> None:
        """As an edit of the seed does, which asks for a full refresh too."""
        self.database.execute(
            "update analytics_seeds.provider_prices set price_usd = price_usd + 0.0010005"
            " where provider in ('wan', 'seedream')",
            user=BUILD_ROLE,
        )
        self.build("--full-refresh")

    def change_rule(self) -> None:
        """A variable is another, some of which ask for a full refresh."""
        name, values = self.random.choice(
            [
                ("vendor_cost_basis", ["list", "task", "ledger"]),
                ("failed_generations_are_billed", [True, False]),
                ("credit_price_usd", [0.03, 0.021, 0.02]),
                ("reporting_timezone", ["America/New_York", "UTC", "Asia/Tokyo"]),
                ("shadow_charge_window_seconds", [60, 300]),
            ]
        )
        self.variables[name] = self.random.choice(values)
        self.build("--full-refresh")

    def step(self) -> str:
        """One thing that happens, and the run after it."""
        happens = self.random.choice(
            [
                *(self.close, self.close, self.reopen, self.write_late, self.write_late),
                *(self.delete, self.correct, self.correct, self.delete_account),
                *(self.change_price, self.change_rule),
            ]
        )
        happens()
        run = self.random.choice([(), (), ("--selector", "frequent"), ("--full-refresh",)])
        self.build(*run)
        return f"{happens.__name__} {' '.join(run)}"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_what_was_reported_and_restated_is_what_is_now(server, seed: int) -> None:
    """After every run of a drawn life: late rows, deletions, corrections, prices, rules, closes."""
    database = make_database(server)
    loosen(database, keyed=True)
    load(database, with_keys(write_histories(seed, [*MOMENTS, AS_OF - timedelta(days=3)])))
    database.dbt("seed")
    life = Life(database, seed)
    life.build()
    life.close()
    for number in range(8):
        print(f"seed {seed}, step {number}: {life.step()}")
        life.check()
