"""Files of the vendor's statement, loaded into a table of ours: docs/statement.md."""
