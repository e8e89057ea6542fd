"""Whether the server gives as many sessions at once as a run opens.

One for each thread, one that begins the run and ends it, and one for the run lock. Without this
check the nodes that get none would fail, one by one.
"""

import re
from typing import Any

from dbt.adapters.contracts.connection import Connection
from dbt.adapters.factory import get_adapter_by_type
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.invocation import get_invocation_id

COMMANDS = ("build", "run", "seed", "snapshot", "test")

# What there is room for, by whom, and what makes more room. Sessions of this role are not counted:
# those of another run end before this one begins.
_ROOM = """
    select whose, remedy
    from pg_catalog.pg_roles
    inner join pg_catalog.pg_database
        on datname operator(pg_catalog.=) pg_catalog.current_database()
    cross join lateral (
        values
        (
            nullif(rolconnlimit, -1)::bigint,
            pg_catalog.format('role %%I may hold %%s sessions', rolname, rolconnlimit),
            pg_catalog.format('alter role %%I connection limit', rolname)
        ),
        (
            nullif(datconnlimit, -1)::bigint,
            pg_catalog.format('database %%I takes %%s sessions', datname, datconnlimit),
            pg_catalog.format('alter database %%I connection limit', datname)
        ),
        (
            (
                select pg_catalog.sum(
                    case name::text when 'max_connections' then 1 else -1 end * setting::bigint
                ) from pg_catalog.pg_settings
                where name in (
                    'max_connections', 'reserved_connections', 'superuser_reserved_connections'
                )
            )::bigint - (
                select pg_catalog.count(*) from pg_catalog.pg_stat_activity
                where datid is not null and usesysid <> pg_roles.oid
            ),
            'beside those of other roles the server has room for few sessions',
            'end some of those, or raise max_connections, so that there is room for'
        )
    ) as rooms (sessions, whose, remedy)
    where rolname operator(pg_catalog.=) session_user and not rolsuper and sessions < %(needed)s
    order by sessions
"""

_checked: set[str] = set()


def check(connection: Connection) -> None:
    """Refuse a run that the server has no room for: once an invocation.

    Raises:
        DbtRuntimeError: a limit of the role, the database or the server is too small.
    """
    invocation = get_invocation_id()
    if invocation in _checked or get_flags().WHICH not in COMMANDS:
        return
    _checked.clear()
    _checked.add(invocation)
    with connection.handle.cursor() as cursor:
        cursor.execute(_ROOM, {"needed": _needed()})
        found = cursor.fetchone()
    connection.handle.rollback()
    if found:
        whose, remedy = found
        raise DbtRuntimeError(
            f"{whose} at once, and {_demand()}, nothing was built: set fewer `threads` in the"
            f" profile, or {remedy} {_needed()}"
        )


def explained(refusal: str) -> str:
    """What a server said that gives no more sessions, with what to do."""
    if not re.search("too many (connections|clients)|slots are reserved", refusal):
        return refusal
    return (
        f"{refusal.strip()} ({_demand()}: end other sessions, set fewer `threads` in the"
        " profile, or raise the connection limit of the role or the database, or max_connections)"
    )


def _needed() -> int:
    threads: int = _settings().threads
    return threads + 2


def _demand() -> str:
    return f"a run with {_settings().threads} threads needs {_needed()}"


def _settings() -> Any:
    return get_adapter_by_type("postgres").config
