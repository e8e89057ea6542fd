"""Finds what in a checkout of the app uses the retired credit pool."""
