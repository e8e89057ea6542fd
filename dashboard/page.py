"""What the page says, read from the marts in one snapshot and ready to be written as HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from dashboard import charts, explanation, queries
from dashboard import numbers_shown as numbers
from dashboard.filters import Filters
from dashboard.queries import Column, Query
from reader.cells import exact
from reader.database import Row, Snapshot
from reader.problems import MissingMart, NotFound, Problem, shown

NAMES_OFFERED = 50
MONTHS_OFFERED = 36
LONG_TEXT = 44  # longer ones are set on several lines
UNITS = {"vendor_cost_usd": "usd", "failure_rate": "rate", "median_duration_seconds": "seconds"}
# What a figure's status was judged by; its words say what is wrong, and the file has the numbers.
MEASURES_OF_QUALITY = (
    *("roll_up_difference", "hours_without_data", "rejected_rows", "unmapped_share"),
    *("generations_without_cost", "users_with_drift", "restated_months"),
)
BUDGET_COLUMNS = ("monthly_budget_usd", "budget_passed_on", "probability_over_budget")
FINDINGS = {
    "failed_not_refunded": "Failed and not refunded",
    "refunded_but_completed": "Completed and refunded",
    "double_refund": "Refunded twice",
    "under_refund": "Refunded in part",
    "over_refund": "Refunded too much",
    "refund_without_charge": "Refund of no known generation",
    "double_charge": "Charged twice",
    "cost_mismatch": "Cost is not the list price",
    "balance_drift": "Balance is not the ledger's",
}


@dataclass(frozen=True)
class Links:
    """Where the page's links lead: addresses of the server, or files."""

    page: Callable[[Filters], str | None]
    table: Callable[[Query, Filters], str]
    cell: Callable[[explanation.Asked], str | None] = lambda asked: None
    has_form: bool = True


@dataclass(frozen=True)
class Period:
    """What one page is about.

    Attributes:
        filters: as asked for, the month filled in.
        frame: the moments and days of the month and of the days before that it is compared with.
        parameters: of all queries but `limit`.
        notices: sentences on the state of the marts.
    """

    filters: Filters
    overview: Row
    frame: Row
    parameters: Row
    zone: str
    months: list[date]
    providers: list[Row]
    types: list[Row]
    notices: list[str]

    @property
    def is_current(self) -> bool:
        """Whether it is the month of `as_of`."""
        return self.filters.month == self.months[-1]


@dataclass(frozen=True)
class Card:
    """One headline figure beside that of the same days before."""

    label: str
    value: str
    exact: str
    unit: str
    change: str
    before: str
    source: str
    href: str | None = None


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str | Markup
    href: str | None = None
    bar: Markup | None = None
    is_long: bool = False


@dataclass(frozen=True)
class Table:
    """One query's rows, or the sentence that stands in their place."""

    query: Query
    columns: Sequence[Column]
    rows: list[list[Cell]]
    raw: list[Row]
    problem: Problem | None
    empty: str
    href: str
    note: str

    @property
    def is_missing(self) -> bool:
        """Whether there is no mart to read, which the page says once for all tables."""
        return isinstance(self.problem, MissingMart)

    @property
    def text_columns(self) -> str:
        """Classes of the style sheet that set these columns flush left; the first one always is."""
        return " ".join(
            f"t{place}"
            for place, column in enumerate(self.columns, 1)
            if place > 1 and (not column.is_number or column.kind == "sparkline")
        )

    @property
    def sources(self) -> str:
        """Mart and columns of all that the table shows."""
        marts: dict[str, list[str]] = {}
        for column in self.columns:
            mart, _, name = column.source.partition(".")
            if mart and name and name not in marts.setdefault(mart, []):
                marts[mart].append(name)
        return "; ".join(f"{mart}: {', '.join(names)}" for mart, names in marts.items())


@dataclass(frozen=True)
class Section:
    """A heading with a sentence, charts and tables."""

    name: str
    title: str
    lead: str = ""
    charts: Sequence[Markup] = ()
    tables: Sequence[Table] = ()
    is_beside: bool = False  # charts stand beside the first table where there is room


@dataclass(frozen=True)
class Page:
    """All that the template writes."""

    period: Period
    title: str
    compared: str
    cards: list[Card]
    provider_lines: list[Row]
    trust: Sequence[str]
    sections: list[Section]
    is_complete: bool = True

    @property
    def months_offered(self) -> list[date]:
        """Months to choose from, the newest first; older ones are asked for by their address."""
        offered = self.period.months[-MONTHS_OFFERED:][::-1]
        month = self.period.filters.month
        return offered if month is None or month in offered else [*offered, month]


# ---------------------------------------------------------------------------------------- reading


def version(snapshot: Snapshot) -> Row:
    """The overview's row; its `as_of` and `version` change with every run.

    Raises:
        Problem: there are no marts, or the role may not read them.
    """
    rows = snapshot.rows(queries.OVERVIEW.sql, queries.OVERVIEW.marts, {})
    if not rows:
        raise Problem(
            f"{snapshot.schema}.dashboard_overview is empty: build the marts with `dbt build`."
        )
    return rows[0]


def read_period(snapshot: Snapshot, filters: Filters, overview: Row) -> Period:
    """Find out which month is asked for, and whether there is such a provider and type.

    Raises:
        NotFound: the marts have no such month, provider or type.
        Problem: a mart is missing or closed.
    """
    notices = []
    zone = overview["zone"]
    if zone is None:
        zone = "UTC"
        notices.append(
            "The marts do not say in which timezone their days are cut, and UTC is taken for it:"
            " build dashboard_overview again with `dbt build --full-refresh`."
        )
    snapshot.use_timezone(zone)
    overview = {**overview, **version(snapshot)}  # its times in that zone
    known = _one(snapshot, queries.MONTHS_KNOWN, {})
    last = known["last_month"] or overview["as_of"].date().replace(day=1)
    months = _months(known["first_month"] or last, last)
    month = filters.month or last
    if not months[0] <= month <= last:
        raise NotFound(
            f"There is no month {month:%Y-%m}: the marts have {months[0]:%Y-%m} to {last:%Y-%m}."
        )
    names = snapshot.rows(queries.NAMES.sql, queries.NAMES.marts, {})
    providers = [row for row in names if row["kind"] == "provider"]
    types = [row for row in names if row["kind"] == "type"]
    provider = _known("provider", filters.provider, providers)
    type_ = _known("type", filters.type, types)
    parameters = {
        **{"month": month, "zone": zone, "as_of": overview["as_of"], "price": known["price"]},
        **{"provider": provider, "type": type_, "first_month": months[0], "last_month": last},
    }
    frame = _one(snapshot, queries.FRAME, parameters)
    if overview["is_stale"]:
        notices.append(
            f"These figures are old: the marts are as of {_moment(overview['as_of'])} {zone}. A run"
            " of `dbt build` brings them up to date."
        )
    return Period(
        Filters(month, provider, type_),
        overview,
        frame,
        {**parameters, **frame},
        zone,
        months,
        providers,
        types,
        notices,
    )


def _known(kind: str, asked: str | None, names: list[Row]) -> str | None:
    if asked is None:
        return None
    for row in names:
        if asked in (row["name"], row["label"]) or asked.lower() == row["name"]:
            return str(row["name"])
    some = ", ".join(row["name"] for row in names[:8]) or "none yet"
    more = ", …" if len(names) > 8 else ""
    raise NotFound(f"There is no {kind} '{shown(asked)}'. Known are: {some}{more}")


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month
    months = [first.year * 12 + first.month - 1 + place for place in range(count + 1)]
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def _one(snapshot: Snapshot, query: Query, parameters: Row) -> Row:
    rows = snapshot.rows(query.sql, query.marts, parameters)
    return rows[0] if rows else {}


def table_for(name: str, filters: Filters) -> Query:
    """The query of one table; the same table has another under some filters."""
    if name == "months" and filters.are_narrow:
        return queries.MONTHS_FILTERED
    if name == "providers" and filters.type is not None:
        return queries.PROVIDERS_OF_TYPE
    return queries.TABLES[name]


class Reader:
    """Reads the parts of one page; a mart that cannot be read costs its own part only."""

    def __init__(self, snapshot: Snapshot, period: Period, links: Links):
        self.snapshot = snapshot
        self.period = period
        self.links = links
        self.is_complete = True
        self.missing: set[str] = set()
        self._names = {row["name"]: row["label"] for row in period.providers}
        self._explained = {
            (row["mart"], row["figure"]): row["cell_keys"] for row in self._known_cells()
        }

    def _known_cells(self) -> list[Row]:
        """The explained figures; none where marts were built by an older paygen."""
        if not self.links.has_form:
            return []
        query = explanation.EXPLAINED
        try:
            return self.snapshot.rows(query.sql, query.marts, {})
        except Problem:
            return []

    def _read(self, query: Query) -> tuple[list[Row], Problem | None]:
        """The rows that the page shows of a query, or why there are none."""
        parameters = {**self.period.parameters, "limit": query.limit}
        try:
            return self.snapshot.rows(query.sql, query.marts, parameters), None
        except MissingMart as problem:
            self.missing.add(problem.sentence)
            return [], problem
        except Problem as problem:
            self.is_complete = False
            return [], problem

    def rows(self, query: Query) -> list[Row]:
        """The rows of a query without a table; why there are none is said above all figures."""
        rows, problem = self._read(query)
        if problem is not None and not isinstance(problem, MissingMart):
            self.notice(problem.sentence)
        return rows

    def notice(self, sentence: str) -> None:
        """Say something above all figures, once."""
        if sentence not in self.period.notices:
            self.period.notices.append(sentence)

    def notice_missing(self) -> None:
        """Say once which marts are not there, or how many."""
        if len(self.missing) == 1:
            self.notice(*self.missing)
        elif self.missing:
            self.notice(
                f"{len(self.missing)} marts are not built yet, and their parts are empty: the"
                " nightly run, `dbt build`, makes them."
            )

    def one(self, query: Query) -> Row:
        """The first row of a query, or no columns at all."""
        return next(iter(self.rows(query)), {})

    def table(self, name: str, empty: str, hidden: Sequence[str] = ()) -> Table:
        """A query's table, cells written."""
        query = table_for(name, self.period.filters)
        rows, problem = self._read(query)
        shown_columns = [column for column in query.columns if column.name not in hidden]
        return Table(
            query,
            shown_columns,
            [[self._cell(row, column) for column in shown_columns] for row in rows],
            rows,
            problem,
            empty,
            self.links.table(query, self.period.filters),
            self._note(query, rows),
        )

    def _note(self, query: Query, rows: list[Row]) -> str:
        filters = self.period.filters
        ignored = [
            {"provider": "all providers", "type": "all types", "month": "all months"}[name]
            for name in query.ignores
            if name in ("provider", "type") and getattr(filters, name) is not None
        ]
        notes = [f"Of {' and '.join(ignored)}."] if ignored else []
        if query.limit and len(rows) >= query.limit:
            notes.append("The file has all rows.")
        return " ".join(notes)

    def _cell(self, row: Row, column: Column) -> Cell:
        value = row[column.name]
        href = None
        bar = None
        if column.kind == "sparkline":
            values = value or []
            known = [each for each in values if each is not None]
            text: str | Markup = charts.sparkline(
                values,
                f"from {numbers.count(numbers.rounded(known[0], 1))} to"
                f" {numbers.count(numbers.rounded(known[-1], 1))}"
                if known
                else "",
            )
            return Cell(text)
        if column.name == "found_text":
            value = _found(row)
        if column.name in ("finding_type", "subject"):
            value = FINDINGS.get(value, value)
        if column.name in ("provider", "provider_name"):
            value = self.name_of_provider(row)
        kind = column.kind
        if column.name in ("actual_value", "expected_value") and "measure" in row:
            kind = UNITS.get(row["measure"], kind)
        if column.name.startswith("share_of_") and value is not None:
            bar = charts.share_bar(value)
        if column.name == "provider_name" and row.get("provider") is not None:
            href = self._link(provider=row["provider"])
        if column.name == "enhancement_type" and "share_of_generations" in row:
            href = self._link(type=value)
        if column.name == "month_start" and "generations" in row:
            href = self._link(month=value)
        if href is None and column.is_as_in_mart and value is not None:
            href = self.explain(column.source, value, row)
        text = numbers.show(value, kind)
        is_long = column.kind == "note" or len(text) > LONG_TEXT
        return Cell(text, href, bar, is_long)

    def name_of_provider(self, row: Row) -> str:
        """What people call the provider of a row; a row of several has a name of its own."""
        provider = row["provider"]
        return str(self._names.get(provider, row.get("provider_name") or provider or ""))

    def explain(self, source: str, value: Any, row: Row) -> str | None:
        """Where a figure of the page is explained; None where it is not."""
        if source.startswith("daily_usage.") and not value:
            return None  # a day without a row
        filters = self.period.filters
        values = {
            "month_start": filters.month,
            "provider": filters.provider,
            "enhancement_type": filters.type,
            **row,
        }
        asked = explanation.cell_of(self._explained, source, values)
        return None if asked is None else self.links.cell(asked)

    def _link(self, **changed: Any) -> str | None:
        filters = self.period.filters
        values = {"month": filters.month, "provider": filters.provider, "type": filters.type}
        return self.links.page(Filters(**{**values, **changed}))


# -------------------------------------------------------------------------------------- composing


def read(snapshot: Snapshot, filters: Filters, overview: Row, links: Links) -> Page:
    """Read everything that one page shows.

    Raises:
        NotFound: the marts have no such month, provider or type.
        Problem: there are no marts at all.
    """
    period = read_period(snapshot, filters, overview)
    reader = Reader(snapshot, period, links)
    frame = period.frame
    narrow = period.filters.are_narrow
    month_name = f"{frame['month']:%B %Y}"
    query = queries.HEADLINE_FILTERED if narrow else queries.HEADLINE
    headline = reader.one(query)
    before: list[Row] = []
    total_before = {
        name.removeprefix("prior_"): value
        for name, value in headline.items()
        if name.startswith("prior_")
    }
    if frame["prior_month"] >= period.months[0]:
        before = reader.rows(queries.SAME_DAYS)
        if narrow:
            total_before = next((row for row in before if row["is_total"]), {})
            total_before = {**total_before, **reader.one(queries.SAME_DAYS_USERS)}
    providers = reader.table("providers", f"No generation in {month_name}: no data yet.")
    months = _months_section(reader)
    page = Page(
        period=period,
        title=_title(period),
        compared=_compared(period),
        cards=_cards(reader, query, headline, total_before),
        provider_lines=_provider_lines(reader, providers.raw, before),
        trust=_trust(reader),
        sections=[
            Section(
                "attention",
                "Needs attention",
                tables=[reader.table("alerts", "Nothing needs attention.")],
            ),
            _days(reader, month_name),
            months,
            _active_users(reader, month_name),
            Section(
                "providers",
                "Providers and types",
                tables=[
                    providers,
                    reader.table("types", f"No generation in {month_name}: no data yet."),
                    reader.table("provider_margins", f"Nothing was used in {month_name}."),
                    reader.table("type_margins", f"Nothing was used in {month_name}."),
                ],
            ),
            Section(
                "failures",
                "Failures",
                "Error messages show only words that are known to be harmless. Reasons are found by"
                " the nightly run.",
                tables=[
                    reader.table("failure_reasons", f"No generation failed in {month_name}."),
                    reader.table("failures", f"No generation failed in {month_name}."),
                ],
            ),
            _owed(reader),
            Section(
                "users",
                "Users who cost money",
                "Whose generations cost more than the credits they used are worth"
                + (
                    f", at {numbers.usd(period.parameters['price'], 4)} a credit (revenue ÷ net"
                    " credits used)."
                    if period.parameters["price"] is not None
                    else "."
                ),
                tables=[reader.table("users", f"No user cost more than paid for in {month_name}.")],
            ),
            Section(
                "health",
                "Provider health",
                f"The last hour and the last 24 hours before {_moment(period.overview['as_of'])}"
                f" {period.zone}, by the time of creation.",
                tables=[reader.table("health", "No provider is known yet.")],
            ),
            _latency(reader, months.tables[0].raw, month_name),
            _forecast(reader),
            Section(
                "anomalies",
                "Unusual days",
                "Days that are far from what the weeks before led to expect: 4 spreads make a"
                " warning, 6 are critical.",
                tables=[reader.table("anomalies", f"No unusual day in {month_name}.")],
            ),
            _credits(reader),
            _statement(reader, month_name),
            _closes(reader, month_name),
            Section(
                "findings",
                "Findings and checks",
                "Charges, refunds, costs and balances that do not fit together, and what this page"
                " checks of the marts each time.",
                tables=[
                    reader.table("findings", "Nothing found: all fits together."),
                    reader.table("quality", "No figure was checked.", hidden=MEASURES_OF_QUALITY),
                    reader.table("checks", "No check could be made."),
                ],
            ),
        ],
    )
    reader.notice_missing()
    return replace(page, is_complete=reader.is_complete)


def _title(period: Period) -> str:
    parts = [f"{period.filters.month:%B %Y}"]
    if period.filters.provider is not None:
        label = {row["name"]: row["label"] for row in period.providers}
        parts.append(label[period.filters.provider])
    if period.filters.type is not None:
        parts.append(period.filters.type.replace("_", " "))
    return ", ".join(parts)


def _compared(period: Period) -> str:
    frame = period.frame
    prior = frame["prior_month"]
    if prior < period.months[0]:
        return "There is no earlier month to compare with."
    last = frame["prior_last_date"]
    days = "1" if last.day == 1 else f"1\N{EN DASH}{last.day}"
    text = f"Compared with {days} {last:%b %Y}"
    if not frame["is_prior_whole"] and not frame["is_over"]:
        text += f" until {frame['prior_ends_at']:%H:%M} {period.zone}, the same days and hours"
        return f"{text}; refunds by whole days." if period.filters.are_narrow else f"{text}."
    return f"{text}, the same days."


def _cards(reader: Reader, query: Query, headline: Row, before: Row) -> list[Card]:
    period = reader.period
    this = "This Month" if period.is_current else f"in {period.filters.month:%b %Y}"
    of_all = ", all providers and types" if period.filters.are_narrow else ""
    sources = {column.name: column.source for column in query.columns}
    as_in_mart = {column.name for column in query.columns if column.is_as_in_mart}
    explain = reader.explain

    def card(label: str, name: str, kind: str, unit: str = "") -> Card:
        value, then = headline.get(name), before.get(name)
        return Card(
            label,
            numbers.show(value, kind),
            exact(value),
            unit,
            numbers.change(value, then, kind),
            numbers.show(then, kind) if then is not None else "",
            sources.get(name, ""),
            explain(sources.get(name, ""), value, {}) if name in as_in_mart else None,
        )

    success = card("Success Rate", "success_rate", "rate")
    failure = card("Failure Rate", "failure_rate", "rate")
    if headline and headline.get("success_rate") is None:
        # As the brief writes it: nothing has failed where nothing has ended.
        success = _with(success, unit="(no data yet)")
        failure = _with(failure, value="0%", unit="(no data yet)")
    overview = period.overview
    users = overview["users_with_credits"]
    active = numbers.show(headline.get("active_users"), "count")
    cost = card(f"WaveSpeed Costs {this}", "vendor_cost_usd", "usd")
    unknown = headline.get("generations_without_cost")
    if unknown and Decimal(unknown):
        cost = _with(cost, unit=f"+ {numbers.count(Decimal(unknown))} of unknown cost")
    return [
        card(f"Usage {this}", "generations", "count", "generations"),
        success,
        cost,
        Card(
            "Active Users",
            numbers.count(users),
            exact(users),
            f"users with credits{of_all}",
            "",
            "",
            "dashboard_overview.users_with_credits",
            explain("dashboard_overview.users_with_credits", users, {}),
        ),
        failure,
        card("Refunds Issued", "refunds_issued", "count"),
        _with(card("Users Who Generated", "active_users", "count"), value=active),
        card("Credits Used", "credits_used", "credits"),
        card("Gross Margin", "gross_margin_usd", "usd", _margin_rate(headline)),
        Card(
            "In Flight Now",
            numbers.count(overview["in_flight_generations"]),
            exact(overview["in_flight_generations"]),
            f"of which {numbers.count(overview['stuck_generations'])} stuck{of_all}",
            "",
            "",
            "dashboard_overview.in_flight_generations, stuck_generations",
            explain(
                "dashboard_overview.in_flight_generations", overview["in_flight_generations"], {}
            ),
        ),
    ]


def _margin_rate(headline: Row) -> str:
    rate = headline.get("gross_margin_rate")
    return "" if rate is None else f"{numbers.rate(rate)} of revenue"


def _with(card: Card, **changed: str | None) -> Card:
    return Card(**{**vars(card), **changed})


def _provider_lines(reader: Reader, providers: list[Row], before: list[Row]) -> list[Row]:
    earlier = {row["provider"]: row for row in before if not row["is_total"]}
    return [
        {
            "name": reader.name_of_provider(row),
            "generations": numbers.count(row["generations"]),
            "cost": numbers.usd(row["vendor_cost_usd"]),
            "before": numbers.count(earlier.get(row["provider"], {}).get("generations", 0))
            if before and row["provider"] is not None
            else "",
            "cost_before": numbers.usd(
                Decimal(earlier.get(row["provider"], {}).get("vendor_cost_usd", 0))
            )
            if before and row["provider"] is not None
            else "",
        }
        for row in providers
    ]


def _trust(reader: Reader) -> Sequence[str]:
    period = reader.period
    newest = reader.one(queries.NEWEST)
    sentences = [f"Built as of {_moment(period.overview['as_of'])} {period.zone}."]
    if newest:
        sentences.append(f"Last data arrived {_moment(newest['newest_at'])} {period.zone}.")
        if newest["is_late"]:
            period.notices.append(
                "No generation was created in the 24 hours before"
                f" {_moment(period.overview['as_of'])} {period.zone}: is the app still writing?"
                " `dbt source freshness` says."
            )
    else:
        sentences.append("No data has arrived yet.")
    checks = reader.rows(queries.CHECKS)
    if checks:
        passed = [row for row in checks if row["is_passed"]]
        found = [_found(row) for row in checks if not row["is_passed"]]
        sentences.append(
            f"{len(passed)} of {len(checks)} checks passed"
            + (f"; found: {'; '.join(found)}." if found else ", nothing found.")
        )
    figures = reader.rows(queries.QUALITY)
    if figures:
        sentences.append(_trust_in_figures(period, figures))
    return sentences


def _trust_in_figures(period: Period, figures: list[Row]) -> str:
    """Which headline figures of the newest month warn or are in doubt, and why."""
    names = {"doubt": "in doubt", "warn": "with a warning"}
    parts = [
        f"{words}: "
        + "; ".join(
            f"{numbers.words(row['figure'])} ({row['findings']})"
            for row in figures
            if row["status"] == status
        )
        for status, words in names.items()
        if any(row["status"] == status for row in figures)
    ]
    passed = sum(row["status"] == "pass" for row in figures)
    of_month = "" if period.is_current else f"Of {period.months[-1]:%B %Y}, "
    text = f"{of_month}{passed} of {len(figures)} headline figures can be trusted"
    return f"{text}; {'; '.join(parts)}." if parts else f"{text}."


def _found(check: Row) -> str:
    if check["is_passed"]:
        return str(check["passed_text"])
    return f"{numbers.count(abs(check['found']))} {check['found_text']}"


def _days(reader: Reader, month_name: str) -> Section:
    table = reader.table("days", f"No day of {month_name} is known.")
    days = table.raw[::-1]
    step = 1 if len(days) <= 10 else 7
    ticks = [str(place + 1) if place % step == 0 else "" for place in range(len(days))]
    names = [numbers.show(row["usage_date"], "date") for row in days]
    as_of = reader.period.overview["as_of"]
    is_running = bool(days) and days[-1]["usage_date"] == as_of.date()
    today = f" {as_of:%-d %B} is not over." if is_running else ""
    drawn: list[Markup] = []
    if any(row["generations"] for row in days):
        drawn = [
            charts.column_chart(
                f"Generations by day, {month_name}",
                f"Failed ones at the foot of each column.{today}",
                names,
                [int(row["generations"]) for row in days],
                lambda value: numbers.show(value, "count"),
                parts=charts.Series("failed", [int(row["failed_generations"]) for row in days], 2),
                tooltips=[
                    f"{name}: {numbers.count(row['generations'])} generations,"
                    f" {numbers.count(row['failed_generations'])} failed"
                    for name, row in zip(names, days, strict=True)
                ],
                ticks=ticks,
                is_running=is_running,
            ),
            charts.column_chart(
                f"Cost by day, {month_name}, USD",
                f"What the vendor charges.{today}",
                names,
                [row["vendor_cost_usd"] for row in days],
                lambda value: numbers.show(value, "usd"),
                _axis_usd,
                ticks=ticks,
                is_running=is_running,
            ),
            charts.line_chart(
                f"Success rate by day, {month_name}",
                "Completed of all that ended.",
                names,
                [charts.Series("success", [row["success_rate"] for row in days], 3)],
                lambda value: numbers.show(value, "rate"),
                _axis_rate,
                from_zero=False,
                most=1.0,
                ticks=ticks,
            ),
        ]
    return Section("days", "Day by day", charts=drawn, tables=[table], is_beside=True)


def _months_section(reader: Reader) -> Section:
    table = reader.table("months", "No month is known yet.")
    months = table.raw[::-1]
    labels = [numbers.show(row["month_start"], "month") for row in months]
    is_running = reader.period.is_current
    not_over = f" {months[-1]['month_start']:%B} is not over." if is_running and months else ""
    drawn: list[Markup] = []
    if any(row["generations"] for row in months):
        ticks = _ticks_of_months(months)
        drawn = [
            charts.column_chart(
                "Generations by month",
                f"All statuses.{not_over}",
                labels,
                [int(row["generations"]) for row in months],
                lambda value: numbers.show(value, "count"),
                ticks=ticks,
                is_running=is_running,
            ),
            charts.line_chart(
                "Revenue and cost by month, USD",
                f"The distance between the lines is the margin.{not_over}",
                labels,
                [
                    charts.Series("revenue", [row["credit_revenue_usd"] for row in months], 3),
                    charts.Series("cost", [row["vendor_cost_usd"] for row in months], 2),
                ],
                lambda value: numbers.show(value, "usd"),
                _axis_usd,
                ticks=ticks,
                is_running=is_running,
            ),
            charts.line_chart(
                "Success rate by month",
                "Completed of all that ended.",
                labels,
                [charts.Series("success", [row["success_rate"] for row in months], 3)],
                lambda value: numbers.show(value, "rate"),
                _axis_rate,
                from_zero=False,
                most=1.0,
                ticks=ticks,
            ),
        ]
    return Section("months", "Month by month", charts=drawn, tables=[table])


def _ticks_of_months(months: list[Row]) -> list[str]:
    """Names for an axis: every other one where they are many, the last one always."""
    step = 1 if len(months) < 8 else 2
    return [
        f"{row['month_start']:%b}" if (len(months) - 1 - place) % step == 0 else ""
        for place, row in enumerate(months)
    ]


def _statement(reader: Reader, month_name: str) -> Section:
    """The vendor's invoice beside the app's costs, or that there is none."""
    table = reader.table("statement", "No statement of the vendor is known.")
    if not table.raw:
        lead = "Costs are the app's own: no statement of the vendor is there to compare them with."
        return Section(
            "statement", "The vendor's statement", lead, tables=[table] if table.problem else []
        )
    return Section(
        "statement",
        "The vendor's statement",
        "The invoice less the app's cost is the difference, which its causes sum to.",
        tables=[table, reader.table("claims", f"Nothing of {month_name} is to be claimed.")],
    )


def _closes(reader: Reader, month_name: str) -> Section:
    """Whether the month is closed, what was reported and is now, and the trail of closes."""
    trail = reader.table("closes", "No month was ever closed.")
    tables = [trail] if trail.rows or trail.problem else []
    close = reader.one(queries.CLOSE) if not trail.problem else {}
    if not close:
        return Section("closes", "Month close", tables=tables)
    sentences = [_state_of(close, month_name)]
    if close["is_current"]:
        restated = close["restated_figures"]
        sentences.append(
            f"{_count(restated, 'figure was', 'figures were')} restated since."
            if restated
            else "No figure was restated since."
        )
        tables = [
            reader.table("closed_figures", f"Nothing was reported of {month_name}."),
            reader.table("restatements", "Nothing was restated since."),
            *tables,
        ]
    if close["altered"]:
        sentences.append("The trail was altered.")
        reader.period.notices.append(
            "The record of month closes was altered by hand, from entry"
            f" {numbers.count(close['first_altered'])} on: `verify_closes` says what."
        )
    elif close["entries"]:
        sentences.append(
            f"The trail has {_count(close['entries'], 'entry', 'entries')}; each has its digest and"
            " follows from the one before."
        )
    return Section("closes", "Month close", " ".join(sentences), tables=tables)


def _count(number: int, one: str, many: str) -> str:
    return f"{numbers.count(number)} {one if number == 1 else many}"


def _state_of(close: Row, month_name: str) -> str:
    """Whether a month is closed or open, and who signed it."""
    if close["event"] is None:
        return f"{month_name} is open: its figures may change. `close_month` closes a month."
    state = "is closed" if close["is_current"] else "was reopened"
    reason = f" ({close['reason']})" if close["reason"] else ""
    return (
        f"{month_name} {state}, signed by {close['signed_by']}{reason} as role"
        f" {close['role_name']} on {_moment(close['recorded_at'])}."
    )


def _active_users(reader: Reader, month_name: str) -> Section:
    table = reader.table("active_users", f"No day of {month_name} is known.")
    days = table.raw[::-1]
    drawn: list[Markup] = []
    if any(row["active_users_30d"] for row in days):
        step = 1 if len(days) <= 10 else 7
        drawn = [
            charts.line_chart(
                f"Active users by day, {month_name}",
                "Distinct users of the day, and of the 7 and 30 days that end on it.",
                [numbers.show(row["usage_date"], "date") for row in days],
                [
                    charts.Series("30 days", [row["active_users_30d"] for row in days]),
                    charts.Series("7 days", [row["active_users_7d"] for row in days], 2),
                    charts.Series("1 day", [row["active_users"] for row in days], 3),
                ],
                lambda value: numbers.show(value, "count"),
                ticks=[
                    f"{row['usage_date'].day}" if place % step == 0 else ""
                    for place, row in enumerate(days)
                ],
            )
        ]
    return Section(
        "active-users",
        "Active users",
        "Counted by the nightly run; a user of several days or providers counts once.",
        drawn,
        [table],
        is_beside=True,
    )


def _latency(reader: Reader, months: list[Row], month_name: str) -> Section:
    months = [row for row in months[::-1] if row.get("p95_duration_seconds") is not None]
    drawn = []
    if months:
        drawn = [
            charts.line_chart(
                "Latency by month, seconds",
                "Median and 95th percentile of the time to the end.",
                [numbers.show(row["month_start"], "month") for row in months],
                [
                    charts.Series("p95", [row["p95_duration_seconds"] for row in months], 2),
                    charts.Series("median", [row["p50_duration_seconds"] for row in months]),
                ],
                lambda value: numbers.show(value, "seconds"),
                numbers.count,
                ticks=_ticks_of_months(months),
            )
        ]
    return Section(
        "latency",
        "Latency",
        "Time from creation to end. Medians of whole days are compared by provider.",
        drawn,
        [
            reader.table("latency", f"No generation has ended in {month_name}."),
            reader.table("latency_days", f"No generation was created in {month_name}."),
        ],
        is_beside=True,
    )


def _owed(reader: Reader) -> Section:
    total = reader.one(queries.OWED_TOTAL)
    lead = ""
    if total and total["findings"]:  # of the provider and type asked for, as the table
        worth = (
            f", worth {numbers.usd(total['worth_usd'])}" if total["worth_usd"] is not None else ""
        )
        lead = (
            f"{numbers.count(total['credits'])} credits{worth}, are owed to"
            f" {numbers.count(total['users'])} users for {numbers.count(total['findings'])}"
            " generations that failed and were not, or not fully, refunded."
        )
    return Section(
        "owed",
        "Money owed to users",
        lead,
        tables=[reader.table("owed", "Nobody is owed a refund.")],
    )


def _forecast(reader: Reader) -> Section:
    table = reader.table("forecast", "There is no forecast yet: the nightly run makes it.")
    if all(row["monthly_budget_usd"] is None for row in table.raw):
        table = reader.table("forecast", table.empty, hidden=BUDGET_COLUMNS)
    record = reader.table(
        "forecast_record", "No forecast can be judged yet: the first one's month is not over."
    )
    known = [row for row in table.raw if row["vendor_cost_usd"] is not None]
    drawn: list[Markup] = []
    lead = ""
    if known:
        first = known[0]["month_start"]
        query = queries.MONTHS_FILTERED if reader.period.filters.provider else queries.MONTHS
        last = reader.period.months[-1]
        parameters = {
            **reader.period.parameters,
            **{"month": last, "type": None, "limit": 7},
            "next_month": date(last.year + last.month // 12, last.month % 12 + 1, 1),
        }
        try:
            past = reader.snapshot.rows(query.sql, query.marts, parameters)[::-1]
        except Problem:
            past = []
        drawn = [
            charts.forecast_chart(
                "Cost by month and forecast, USD",
                "Wide boxes hold 80%, narrow ones 95% of what may come.",
                [
                    (f"{row['month_start']:%b}", row["vendor_cost_usd"])
                    for row in past
                    if row["month_start"] < first
                ],
                [
                    charts.Range(
                        f"{row['month_start']:%b}",
                        *(
                            row[f"vendor_cost{part}_usd"]
                            for part in ("", "_lower_80", "_upper_80", "_lower_95", "_upper_95")
                        ),
                    )
                    for row in known
                ],
                lambda value: numbers.show(value, "usd"),
                _axis_usd,
                known[0]["monthly_budget_usd"],
            )
        ]
        row = known[0]
        lead = (
            f"{row['month_start']:%B} is expected to cost {numbers.usd(row['vendor_cost_usd'])}, in"
            f" 80 of 100 cases {numbers.usd(row['vendor_cost_lower_80_usd'])} to"
            f" {numbers.usd(row['vendor_cost_upper_80_usd'])}."
        )
        if row["monthly_budget_usd"] is None:
            lead += " No budget is set: `monthly_budget_usd` makes this name the day it is passed."
        elif row["budget_passed_on"] is not None:
            lead += (
                f" The budget of {numbers.usd(row['monthly_budget_usd'])} is passed on"
                f" {numbers.show(row['budget_passed_on'], 'long_date')}."
            )
        elif row["vendor_cost_usd"] <= row["monthly_budget_usd"]:
            lead += (
                f" The budget of {numbers.usd(row['monthly_budget_usd'])} is not expected to be"
                " passed."
            )
    elif table.raw:
        status = str(table.raw[0]["forecast_status"]).replace("_", " ")
        lead = f"There is no forecast: {status}."
    return Section("forecast", "Forecast", lead, drawn, [table, record], is_beside=True)


def _credits(reader: Reader) -> Section:
    overview = reader.period.overview
    lead = (
        f"{numbers.count(overview['total_credits_in_circulation'])} credits are in circulation"
        f" (dashboard_overview.total_credits_in_circulation), held by"
        f" {numbers.count(overview['users_with_credits'])} users with a balance above 0."
    )
    return Section(
        "credits",
        "Credits outstanding",
        lead,
        tables=[
            reader.table("credits", "No user has a balance yet."),
            reader.table("credit_movements", "No credits have moved yet."),
            reader.table("circulation", "Nobody measured what was outstanding in this month."),
        ],
    )


def _moment(value: Any) -> str:
    return numbers.show(value, "time")


def _axis_usd(value: Any) -> str:
    value = Decimal(value)
    digits = 0 if value == value.to_integral_value() else 2
    return numbers.usd(value, digits)


def _axis_rate(value: Any) -> str:
    text = numbers.count(numbers.rounded(Decimal(value) * 100, 1))
    return f"{text}%"
