"""Look at another app's database and propose the mapping of its tables: `python -m inspect_app`."""
