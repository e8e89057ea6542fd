"""Set-up as README.md has it, on servers as production has them."""
