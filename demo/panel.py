"""The administrator's numbers in the terminal, read from the marts."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

MONTHS_SHOWN = 12
BAR_WIDTH = 10
NOT_KNOWN = "N/A"
NO_DATA = "N/A (no data yet)"

# Nothing where it is not known of any generation: that is no cost of 0.
KNOWN_COST = """
    case
        when {table}.vendor_cost_usd > 0 or not exists (
            select from analytics.daily_usage
            where {provider} and generations_without_cost > 0
                and usage_date >= month_start and usage_date < month_start + interval '1 month'
        ) then {table}.vendor_cost_usd
    end as vendor_cost_usd
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Numbers:
    """What the panel shows. Rows are dicts by the marts' column names.

    Attributes:
        overview: the row of `dashboard_overview`.
        months: the last months, oldest first: usage, cost and success rate side by side.
        providers: the provider breakdown of the last month with generations, current providers
            first; of the last month where there are none.
    """

    overview: Row
    months: list[Row]
    providers: list[Row]


def read(connection: Connection) -> Numbers:
    """Read the panel's numbers as a role that may read the marts."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("select * from analytics.dashboard_overview")
        overview = dict(cursor.fetchone())
        cursor.execute(
            f"""
            select
                month_start, generations, active_users, credits_used,
                {KNOWN_COST.format(table="monthly_cost", provider="true")},
                success_rate, failure_rate, refunds_issued
            from analytics.monthly_usage
            inner join analytics.monthly_cost using (month_start)
            inner join analytics.monthly_success_rate using (month_start)
            order by month_start desc
            limit %s
            """,
            [MONTHS_SHOWN],
        )
        months = [dict(row) for row in reversed(cursor.fetchall())]
        same = "daily_usage.provider = monthly_provider_breakdown.provider"
        cost = KNOWN_COST.format(table="monthly_provider_breakdown", provider=same)
        cursor.execute(
            f"""
            select month_start, provider_name, generations, {cost}, success_rate
            from analytics.monthly_provider_breakdown
            where month_start = (
                select coalesce(
                    max(month_start) filter (where generations > 0), max(month_start)
                )
                from analytics.monthly_usage
            )
            order by generations desc, provider_name
            """
        )
        providers = [dict(row) for row in cursor.fetchall()]
    return Numbers(overview, months, providers)


def render(numbers: Numbers, vendor: str = "WaveSpeed") -> RenderableType:
    """The panel: this month's list, what holds now, the provider breakdown and the last months."""
    as_of = numbers.overview["as_of"]
    return Panel(
        Group(
            _this_month(numbers, vendor),
            "",
            _now(numbers.overview),
            "",
            _providers(numbers.providers),
            "",
            _months(numbers.months),
        ),
        title=f"paygen at {as_of:%Y-%m-%d %H:%M} UTC",
        expand=False,
    )


def _this_month(numbers: Numbers, vendor: str) -> Table:
    month = numbers.months[-1] if numbers.months else {}
    overview = numbers.overview
    table = Table(
        title=f"This month ({overview['as_of']:%B %Y})",
        show_header=False,
        box=None,
        title_justify="left",
    )
    cost = dollars(overview["cost_this_month_usd"])
    if without_cost := overview["generations_without_cost_this_month"]:
        cost += f" and {without_cost:,} of unknown cost"
    for name, value in (
        ("Usage", f"{overview['generations_this_month']:,} generations"),
        ("Success rate", percent(month.get("success_rate"), NO_DATA)),
        (f"{vendor} costs", cost),
        ("Failure rate", percent(month.get("failure_rate"), NO_DATA)),
        ("Refunds issued", f"{overview['refunds_issued_this_month']:,}"),
    ):
        table.add_row(name, f"[bold]{value}[/bold]")
    return table


def _now(overview: Row) -> Table:
    """What is so at this moment, whenever it began."""
    table = Table(title="Now", show_header=False, box=None, title_justify="left")
    for name, value in (
        ("Active users", f"{overview['users_with_credits']:,} users with credits"),
        ("In flight", f"{overview['in_flight_generations']:,}"),
        ("of which stuck", f"{overview['stuck_generations']:,}"),
    ):
        table.add_row(name, f"[bold]{value}[/bold]")
    return table


def _providers(providers: list[Row]) -> Table:
    if providers and not any(row["generations"] for row in providers):
        return _providers_without_calls(providers)
    month = f" ({providers[0]['month_start']:%B %Y})" if providers else ""
    table = Table(title=f"Providers{month}", box=None, padding=(0, 1, 0, 0), title_justify="left")
    table.add_column("provider")
    table.add_column("calls", justify="right")
    table.add_column("vendor cost", justify="right")
    table.add_column("success", justify="right")
    table.add_column("")
    most = max((row["generations"] for row in providers), default=0)
    for row in providers:
        table.add_row(
            row["provider_name"],
            f"{row['generations']:,}",
            dollars(row["vendor_cost_usd"]),
            percent(row["success_rate"]),
            bar(row["generations"], most),
        )
    if not providers:
        table.add_row("no data yet")
    return table


def _providers_without_calls(providers: list[Row]) -> Table:
    """One line each, as there is nothing to compare."""
    table = Table(title="Providers", show_header=False, box=None, title_justify="left")
    for row in sorted(providers, key=lambda row: row["provider_name"]):
        cost = dollars(row["vendor_cost_usd"])
        table.add_row(f"{row['provider_name']}: {row['generations']:,} calls ({cost})")
    return table


def _months(months: list[Row]) -> Table:
    table = Table(title="Last months", box=None, padding=(0, 1, 0, 0), title_justify="left")
    table.add_column("month", no_wrap=True)
    for name in ("generations", "success", "vendor cost", "active", "credits", "refunds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    most = max((row["generations"] for row in months), default=0)
    for row in months:
        table.add_row(
            f"{row['month_start']:%b %Y}",
            f"{row['generations']:,}",
            percent(row["success_rate"]),
            dollars(row["vendor_cost_usd"]),
            f"{row['active_users']:,}",
            f"{row['credits_used']:,}",
            f"{row['refunds_issued']:,}",
            bar(row["generations"], most),
        )
    if not months:
        table.add_row("no data yet")
    return table


def percent(fraction: Decimal | None, unknown: str = NOT_KNOWN) -> str:
    """A fraction of 1 in percent, two decimals; `unknown` where it is null."""
    return unknown if fraction is None else f"{fraction:.2%}"


def dollars(amount: Decimal | None) -> str:
    """US dollars to the cent; N/A where the amount is null."""
    return NOT_KNOWN if amount is None else f"${amount:,.2f}"


def bar(value: int, most: int) -> str:
    """A bar as long as `value` is of `most`, which fills the width; visible for any value but 0."""
    length = -(-value * BAR_WIDTH // most) if most else 0
    return f"[cyan]{'█' * length}[/cyan]"
