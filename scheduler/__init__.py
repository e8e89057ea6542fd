"""The resident scheduler: one process that runs dbt when it is due."""
