"""How our tables and views stand among what others have in the same database."""
