"""The app's own dashboard and the scanner of its callers."""
