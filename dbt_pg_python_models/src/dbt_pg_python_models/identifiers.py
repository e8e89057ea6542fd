"""Names of columns and relations in SQL."""


def quoted(name: str) -> str:
    """Quote an identifier exactly as it is spelled."""
    return '"' + name.replace('"', '""') + '"'
