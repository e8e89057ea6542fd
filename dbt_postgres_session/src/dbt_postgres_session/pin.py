"""What is set on each new session, whatever the role, the database or the profile say.

Set by statements: PgBouncer refuses libpq's `options`. What only costs or saves (`work_mem`, `jit`,
`statement_timeout`, `lock_timeout`, tablespaces, `default_transaction_read_only`) stays the
operator's.
"""

from typing import Any

from dbt_common.exceptions import DbtRuntimeError

SEARCH_PATH = "pg_catalog, pg_temp"

SETTINGS = {
    # Names resolve in the catalogue alone. Temporary objects come last, or they would come first.
    "search_path": SEARCH_PATH,
    # How text is read and written.
    "timezone": "UTC",
    "timezone_abbreviations": "Default",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "quote_all_identifiers": "off",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    # What a statement means.
    "transform_null_equals": "off",
    "check_function_bodies": "on",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # dbt's first connection is idle while the models run on others.
    "idle_session_timeout": "0",
}


# For a role that policies do not bind, rows that one hides (below a view, say) are an error, and not
# an answer that lacks them. Another role needs policies that let it read.
ROW_SECURITY = """
    select pg_catalog.set_config('row_security', 'off', false) from pg_catalog.pg_roles
    where rolname operator(pg_catalog.=) current_user and (rolbypassrls or rolsuper)
"""


def check_profile(credentials: Any) -> None:
    """Refuse a profile that wants another search path.

    Raises:
        DbtRuntimeError: it does.
    """
    wanted = [name.strip() for name in (credentials.search_path or SEARCH_PATH).split(",")]
    if wanted != SEARCH_PATH.split(", "):
        raise DbtRuntimeError(
            f"The profile sets search_path to '{credentials.search_path}', but names must resolve"
            f" in pg_catalog alone: remove `search_path` from the profile."
        )


def pin_session(handle: Any) -> None:
    """Set all of `SETTINGS`, and `ROW_SECURITY`, for the rest of the session."""
    # dbt leaves `set role` in an open transaction, whose rollback would undo it.
    handle.commit()
    autocommit, handle.autocommit = handle.autocommit, True
    with handle.cursor() as cursor:
        calls = ", ".join(["pg_catalog.set_config(%s, %s, false)"] * len(SETTINGS))
        cursor.execute(f"select {calls}", [part for item in SETTINGS.items() for part in item])
        cursor.execute(ROW_SECURITY)
    handle.set_client_encoding("UTF8")
    handle.autocommit = autocommit
