"""Python models against the ways others have."""
