"""Python models for dbt-postgres.

dbt imports every top-level module named `dbt_*` at each start and initialises the classes in
`plugins`. Nothing heavy may be imported here: pandas and pyarrow wait for the first Python model.
"""

from dbt_postgres_python.plugin import PostgresPythonPlugin

plugins = [PostgresPythonPlugin]
