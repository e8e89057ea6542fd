"""The marts of an export, their columns, and which of these may be summed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reader.database import Snapshot
from reader.problems import BUILD, Problem

INTEGERS = ("bigint", "integer", "smallint")


@dataclass(frozen=True)
class Mart:
    """A mart of which a month is exported.

    Attributes:
        date: the column that dates its rows.
        keys: its order after the date.
        is_nightly: whether only nightly runs make it, so that a database may be without it.
        foots: the measure whose total is that of `monthly_usage`, if both are of the same moment.
    """

    name: str
    date: str
    keys: tuple[str, ...] = ()
    is_nightly: bool = False
    foots: str = ""


MARTS = (
    Mart("monthly_usage", "month_start"),
    Mart("monthly_cost", "month_start"),
    Mart("monthly_success_rate", "month_start"),
    Mart("monthly_provider_breakdown", "month_start", ("provider",)),
    Mart("monthly_provider_margin", "month_start", ("provider",), True, "generations"),
    Mart("monthly_type_breakdown", "month_start", ("enhancement_type",), True, "generations"),
    Mart("monthly_user_usage", "month_start", ("user_id",)),
    Mart("monthly_user_margin", "month_start", ("user_id",), True),
    Mart("monthly_credit_movements", "month_start", (), True, "credits_used"),
    Mart("monthly_finance", "month_start", (), True),
    Mart("monthly_vendor_reconciliation", "month_start", (), True),
    Mart("vendor_claims", "month_start", ("claim_id",), True),
    Mart("closed_figures", "month_start", ("entry_number", "provider", "figure"), True),
    Mart("monthly_restatements", "month_start", ("provider", "figure", "cause"), True),
    Mart("failures_by_month", "month_start", ("provider", "enhancement_type")),
    Mart(
        "failures_by_reason_month",
        "month_start",
        ("provider", "enhancement_type", "category", "reason"),
        True,
        "failed_generations",
    ),
    Mart("user_retention", "month_start", ("first_month",), True),
    Mart("credit_circulation", "usage_date", (), True, "credits_used"),
    Mart("daily_active_users", "usage_date", ("is_all_providers", "provider"), True),
    Mart("daily_latency", "usage_date", ("is_all_providers", "provider"), True),
    Mart("daily_usage", "usage_date", ("provider", "enhancement_type")),
)

# Sums of rows are figures too. Not so of rates, averages, percentiles, distinct users and what is
# measured at the end of a day or month, nor where a row of the total is among the rows: a column
# that is not named here has no total.
SUMMED = {
    "amount_differs_usd",
    "app_cost_unknown_usd",
    "app_cost_usd",
    "billed_twice_usd",
    "billed_usd",
    "billings_usd",
    "breakage_revenue_usd",
    "cancelled_generations",
    "claim_usd",
    "completed_generations",
    "cost_of_revenue_usd",
    "cost_variance_usd",
    "credit_revenue_usd",
    "credits_adjusted",
    "credits_bought",
    "credits_charged_otherwise",
    "credits_granted",
    "credits_held",
    "credits_refunded",
    "credits_released",
    "credits_sold",
    "credits_used",
    "difference_usd",
    "failed_billed_usd",
    "failed_generations",
    "generations",
    "generations_without_cost",
    "gross_margin_usd",
    "gross_profit_usd",
    "in_flight_generations",
    "invoice_usd",
    "lines",
    "list_cost_usd",
    "net_credits",
    "net_credits_used",
    "only_app_usd",
    "only_vendor_usd",
    "provisional_usd",
    "purchase_margin_usd",
    "purchase_revenue_usd",
    "recognized_revenue_usd",
    "refund_timing_usd",
    "refund_without_charge_usd",
    "refunded_failures",
    "refunded_usd",
    "refunds_issued",
    "rounding_usd",
    "sold_credits_broken",
    "sold_credits_used",
    "stuck_generations",
    "timing_usd",
    "unknown_model_usd",
    "unrefunded_failures",
    "usage_revenue_usd",
    "vendor_cost_usd",
    "without_id_usd",
}


@dataclass(frozen=True)
class Column:
    """A column as the database has it.

    Attributes:
        type: its SQL name, without precision.
        precision: digits in all; of a numeric column without any, what this month's rows take.
        scale: digits behind the point, likewise.
        length: letters of the longest text.
    """

    name: str
    type: str
    precision: int = 0
    scale: int = 0
    length: int = 0

    @property
    def is_summed(self) -> bool:
        """Whether the column has a total."""
        return self.name in SUMMED and self.is_number

    @property
    def is_number(self) -> bool:
        """Whether a sum could be written at all."""
        return self.type in (*INTEGERS, "numeric", "double precision", "real")


@dataclass(frozen=True)
class Part:
    """One mart's rows of one month."""

    mart: Mart
    columns: tuple[Column, ...]
    rows: int


# Digits of a column of exact decimals: the same in each month's Parquet file, if they suffice.
DIGITS, DECIMALS = 38, 12

COLUMNS = """
select
    column_name::text as name,
    data_type::text as type,
    coalesce(numeric_precision, 0) as precision,
    coalesce(numeric_scale, 0) as scale,
    data_type = 'numeric' and numeric_precision is null as is_open
from information_schema.columns
where table_schema = %(schema)s and table_name = %(mart)s
order by ordinal_position
"""

OF_MONTH = (
    "from {{schema}}.{mart} where {date} >= %(month)s::date"
    " and {date} < (%(month)s::date + interval '1 month')::date"
)


def describe(snapshot: Snapshot, mart: Mart, parameters: dict[str, Any]) -> Part:
    """The columns of a mart, as wide as the month's rows need, and how many rows these are.

    Raises:
        Problem: the mart is missing, closed or older than this program.
    """
    columns = snapshot.rows(COLUMNS, (mart.name,), {"schema": snapshot.schema, "mart": mart.name})
    measures = ["count(*) as rows"]
    for number, column in enumerate(columns):
        name = _quoted(column["name"])
        if column["is_open"]:
            measures.append(f"max(min_scale({name})) as scale_{number}")
            measures.append(f"max(length(trunc(abs({name}))::text)) as digits_{number}")
        elif column["type"] == "text":
            measures.append(f"max(length({name})) as length_{number}")
    select = f"select {', '.join(measures)} " + _of_month(mart)
    (found,) = snapshot.rows(select, (mart.name,), parameters)
    return Part(
        mart,
        tuple(_column(column, number, found) for number, column in enumerate(columns)),
        found["rows"],
    )


def _column(column: dict[str, Any], number: int, found: dict[str, Any]) -> Column:
    precision, scale = column["precision"], column["scale"]
    if column["is_open"]:
        scale = max(DECIMALS, found[f"scale_{number}"] or 0)
        precision = max(DIGITS, scale + (found[f"digits_{number}"] or 0))
    length = found.get(f"length_{number}") or 0
    return Column(column["name"], column["type"], precision, scale, length)


def read(snapshot: Snapshot, part: Part, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The month's rows of a mart, in an order that does not depend on the server's language."""
    names = ", ".join(_quoted(column.name) for column in part.columns)
    texts = {column.name for column in part.columns if column.type == "text"}
    order = ", ".join(
        _quoted(key) + (' collate "C"' if key in texts else "")
        for key in (part.mart.date, *part.mart.keys)
    )
    text = f"select {names} {_of_month(part.mart)} order by {order}"
    for row in snapshot.stream(text, (part.mart.name,), parameters):
        yield tuple(row.values())


def is_behind(snapshot: Snapshot, mart: Mart, parameters: dict[str, Any]) -> bool:
    """Whether a nightly mart is of an earlier moment than `monthly_usage`, as its total shows."""
    total = f"coalesce(sum({_quoted(mart.foots)}), 0)"
    (found,) = snapshot.rows(
        f"select (select {total} {_of_month(mart)})"
        f" is distinct from (select {total} {_of_month(MARTS[0])}) as is_behind",
        (mart.name,),
        parameters,
    )
    return bool(found["is_behind"])


def check_month(snapshot: Snapshot, parameters: dict[str, Any], month: str) -> None:
    """Make sure that the marts have the month.

    Raises:
        Problem: they do not.
    """
    (found,) = snapshot.rows(
        "select to_char(min(month_start), 'YYYY-MM') as first,"
        " to_char(max(month_start), 'YYYY-MM') as last,"
        " coalesce(bool_or(month_start = %(month)s::date), false) as is_there"
        " from {schema}.monthly_usage",
        ("monthly_usage",),
        parameters,
    )
    if found["first"] is None:
        raise Problem(f"{snapshot.schema}.monthly_usage is empty: {BUILD}.")
    if not found["is_there"]:
        raise Problem(
            f"There is no month {month}: the marts have {found['first']} to {found['last']}."
        )


def _of_month(mart: Mart) -> str:
    return OF_MONTH.format(mart=mart.name, date=_quoted(mart.date))


def _quoted(name: str) -> str:
    """A column's name for the text of a query, in which braces and percent signs mean something."""
    quoted = '"' + name.replace('"', '""') + '"'
    return quoted.replace("{", "{{").replace("}", "}}").replace("%", "%%")
