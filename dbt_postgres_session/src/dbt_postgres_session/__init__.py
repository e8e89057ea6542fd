"""Pinned sessions and one run at a time for dbt-postgres.

dbt imports every top-level module named `dbt_*` at each start and initialises the classes in
`plugins`, once per invocation.
"""

from dbt_postgres_session.plugin import PostgresSessionPlugin

plugins = [PostgresSessionPlugin]
