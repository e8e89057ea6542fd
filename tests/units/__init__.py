"""dbt's own unit tests."""
