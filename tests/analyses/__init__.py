"""The administrator's questions, answered on a real database."""
