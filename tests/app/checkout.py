"""A made-up checkout of the app with every kind of caller: the files of checkout.txt.

A line that must be reported ends in a comment: `FOUND kind name, kind name`. No other may be.
"""

from pathlib import Path

FILES = {
    name: text
    for part in Path(__file__).with_suffix(".txt").read_text().split("@@@ ")[1:]
    for name, _, text in [part.partition("\n")]
}
BESIDE = {
    ("vercel.json", 3, "route", "refill-credits"),
    ("apps/web/app/api/admin/credit-stats/route.ts", 1, "file", "api/admin/credit-stats/route"),
    ("apps/web/app/api/admin/refill-credits/route.ts", 1, "file", "api/admin/refill-credits/route"),
    (
        "apps/web/app/components/CreditManagementDashboard.tsx",
        1,
        "file",
        "components/CreditManagementDashboard",
    ),
    (
        "docs support/credit_management_system.md",
        1,
        "file",
        "docs support/credit_management_system",
    ),
}


def write(root: Path, files: dict[str, str] = FILES) -> Path:
    """Write the files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def expected() -> set[tuple[str, int, str, str]]:
    """Path, line, kind and name of everything that is marked."""
    marked = set()
    for path, text in FILES.items():
        for number, line in enumerate(text.split("\n"), start=1):
            _, mark, names = line.partition(" FOUND ")
            for each in names.replace("*/}", "").split(",") if mark else []:
                kind, name = each.split()
                marked.add((path, number, kind, name))
    return marked | BESIDE
