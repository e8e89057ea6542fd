"""The app's tables in other shapes than the demo's."""

from tests.app_database import BUILD_ROLE, AppDatabase

# Takes every defect: no keys, nothing required, ids as text.
LOOSE = {
    "credit_transactions": """
        id text, user_id text, transaction_type text, credits_used numeric, cost_usd numeric,
        provider text, enhancement_type text, api_request_id text, status text,
        error_message text, created_at timestamptz
    """,
    "enhancement_tasks": """
        id text, user_id text, provider text, status text, error_message text, result_url text,
        cost_usd numeric, enhancement_type text, created_at timestamptz, updated_at timestamptz,
        completed_at timestamptz, failed_at timestamptz
    """,
    "user_credits": """
        user_id text, current_balance numeric, consumed_this_month int, monthly_allowance int,
        subscription_tier text, updated_at timestamptz
    """,
}


def replace_table(database: AppDatabase, table: str, columns: str) -> None:
    """Put an empty table with other columns in the place of one of the app's."""
    database.execute(
        f"drop table if exists {table} cascade; create table {table} ({columns});"
        f"grant select on {table} to {BUILD_ROLE}"
    )


def loosen(database: AppDatabase, keyed: bool = False) -> None:
    """Give the app's tables a shape that takes every defect; `keyed`: all but those of ids."""
    for table, columns in LOOSE.items():
        if keyed:
            columns = columns.replace(" text,", " uuid primary key,", 1)
        replace_table(database, table, columns)
