"""What the project's variables may be, and what each changes."""
