"""What is retired: by the variable `cleanup` of dbt_project.yml, and what belonged to it."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[1]

# Columns whose names only the retired tables have; `provider` and the like are everybody's.
COLUMNS = (
    *("total_purchased", "total_consumed", "available_balance", "cost_per_credit"),
    *("auto_refill_threshold", "auto_refill_amount", "amount_requested", "estimated_cost"),
)
# Of the old answer of credit-stats; the new one has them for compatibility, always 0.
FIELDS = ("platformCreditsRemaining", "creditsRemaining")
ROUTES = {
    "refill-credits": "Delete the request: the route goes, nothing is bought in advance.",
    "alerts": "Delete the request: the app has no such route.",
    "credit-stats": (
        "Send the access token, and read what the figures now mean in app/README.md. A user's own"
        " balance needs a route of its own."
    ),
}
# Of a replaced file, what only its replacement says.
FILES = {
    "api/admin/refill-credits/route": ("Delete the route.", ""),
    "api/admin/credit-stats/route": (
        "Replace it by app/apps/web/app/api/admin/credit-stats/route.ts.",
        "analytics.dashboard_stats",
    ),
    "api/admin/credit-stats/types": ("", "CreditStatsError"),
    "components/CreditManagementDashboard": (
        "Replace it by app/apps/web/app/components/CreditManagementDashboard.tsx.",
        "CreditStatsError",
    ),
    "docs support/credit_management_system": (
        "Replace it by app/docs support/credit_management_system.md.",
        "analytics.dashboard_stats",
    ),
}
ACTIONS = {
    ("table", "query"): "Delete the query; figures come from GET /api/admin/credit-stats.",
    ("table", "definition"): (
        "Delete it, or drop the table in a later migration: run again, it brings the table back."
    ),
    (
        "table",
        "drop",
    ): "Do not run it: docs/cleanup.md archives the table, so that it can come back.",
    ("table", "change"): "Delete it: the table goes.",
    ("table", "type"): "Generate the types again after the clean-up.",
    ("function", "definition"): "Delete it: run again, it brings the function back.",
    ("function", "drop"): "Do not run it: docs/cleanup.md archives the function.",
    ("function", "call"): "Delete the call; keep the insert into credit_transactions.",
    ("function", "change"): "Delete it: the function goes.",
    ("function", "type"): "Generate the types again after the clean-up.",
    ("column", "type"): "Generate the types again after the clean-up.",
    ("column", ""): "Delete the use: the column goes with its table.",
    ("alert", ""): "Delete it: nothing writes such alerts any more, and the old ones go.",
    ("field", ""): "Delete the use: there is no pool, it is always 0.",
    ("dependent", ""): "Mend the object, which uses what goes, or delete this use.",
}
OTHER_FUNCTION = (
    "Delete the call, as the clean-up plan says. It has other arguments than the retired function:"
    " the function it calls stays in the database."
)
LOOK = "Read the line: it names what goes."


@dataclass
class Names:
    """The names to look for, lower-case, and for functions the number of their arguments."""

    tables: set[str]
    functions: dict[str, int]
    alerts: set[str]
    columns: set[str] = field(default_factory=lambda: set(COLUMNS))
    fields: set[str] = field(default_factory=lambda: set(FIELDS))
    dependents: set[str] = field(default_factory=set)

    def kind_of(self, name: str) -> str:
        """What a name is the name of; empty where of nothing retired."""
        for kind, names in (
            ("table", self.tables),
            ("function", self.functions),
            ("column", self.columns),
            ("alert", self.alerts),
            ("dependent", self.dependents),
        ):
            if name.lower() in names:
                return kind
        return "field" if name in self.fields else ""

    def are_in(self, text: str) -> bool:
        """Whether a text may hold any of them: a look before it is parsed."""
        lower = text.lower()
        return any(
            name in lower
            for names in (self.tables, self.functions, self.columns, self.alerts, self.dependents)
            for name in names
        )


def names(include_api_providers: bool = False) -> Names:
    """The names of this project's clean-up."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    cleanup = project["vars"]["cleanup"]
    tables = {*cleanup["tables"]}
    if include_api_providers:
        tables |= {*cleanup["optional_tables"]}
    functions = {}
    for signature in cleanup["functions"]:
        name, _, arguments = signature.partition("(")
        functions[name.rpartition(".")[2]] = len(arguments.rstrip(")").split(","))
    return Names(tables, functions, {*cleanup["rows"]["values"]})


def action(kind: str, use: str) -> str:
    """What to do about a use."""
    if use == "mention":
        return LOOK
    return ACTIONS.get((kind, use)) or ACTIONS.get((kind, "")) or ACTIONS[kind, "change"]
