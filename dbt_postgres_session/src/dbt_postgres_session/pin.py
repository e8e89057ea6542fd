"""What is set on each new session, whatever the role, the database or the profile say.

Set by statements: PgBouncer refuses libpq's `options`. What only costs or saves (`work_mem`, `jit`,
`statement_timeout`, `lock_timeout`, tablespaces, `default_transaction_read_only`) stays the
operator's.
"""

from typing import Any

from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

SEARCH_PATH = "pg_catalog, pg_temp"

SETTINGS = {
    # First: while it is on, the server quotes the names of the search path.
    "quote_all_identifiers": "off",
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
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    # What a statement means.
    "transform_null_equals": "off",
    "check_function_bodies": "on",
    # Rows are found by their place, which other kinds of tables do not have.
    "default_table_access_method": "heap",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    # dbt's first connection is idle while the models run on others, and each is idle in its
    # transaction while Jinja or a Python model works.
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


# For a role that policies do not bind, rows that one hides (below a view, say) are an error, not
# a lack in the answer. Another role needs policies that let it read.
_IS_EXEMPT = """
    select rolbypassrls or rolsuper from pg_catalog.pg_roles
    where rolname operator(pg_catalog.=) current_user
"""

# The answer for each role of a server, asked once an invocation, which has one target.
_exempt: dict[tuple[Any, ...], bool] = {}


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
    """Set all of `SETTINGS`, and `row_security` as above, for the rest of the session."""
    # dbt leaves `set role` in an open transaction, whose rollback would undo it.
    handle.commit()
    autocommit, handle.autocommit = handle.autocommit, True
    # `set` takes a fifth of the time of `set_config`, and each node's session is set anew.
    settings = SETTINGS | ({"row_security": "off"} if _is_exempt(handle) else {})
    # The driver asks for an encoding only where it believes in another.
    statements = ["set client_encoding to 'UTF8'"]
    for name, value in settings.items():
        values = ", ".join(f"'{part}'" for part in value.split(", "))
        statements.append(f"set {name} to {values}")
    with handle.cursor() as cursor:
        cursor.execute("; ".join(statements))
    handle.set_client_encoding("UTF8")
    handle.autocommit = autocommit


def _is_exempt(handle: Any) -> bool:
    session = handle.info
    key = (get_invocation_id(), session.host, session.port, session.dbname, session.user)
    if key not in _exempt:
        for old in [old for old in _exempt if old[0] != key[0]]:
            _exempt.pop(old, None)
        with handle.cursor() as cursor:
            cursor.execute(_IS_EXEMPT)
            _exempt[key] = cursor.fetchone()[0]
    return _exempt[key]
