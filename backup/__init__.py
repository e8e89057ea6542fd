"""A backup of what the clean-up touches, read back before it counts."""
