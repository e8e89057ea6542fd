"""Every figure of the page against SQL over the marts, worked out here in another way."""

import csv
import io
import re
import time
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from selenium import webdriver

from dashboard import queries
from dashboard.kept_pages import BEHIND_SECONDS
from local_postgres import server as embedded
from reader.database import Database
from tests import sample
from tests.app_database import AppDatabase
from tests.conftest import make_database
from tests.dashboard.databases import AS_OF, HISTORIES, build, keep_as
from tests.dashboard.reading import READ_DOM, read_html
from tests.dashboard.serving import Page, page_of
from tests.histories import load, write_histories
from tests.table_shapes import loosen

UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"


def number(value: object) -> str:
    return "N/A" if value is None else f"{value:,}".replace("-", "\N{MINUS SIGN}")


def fixed(value: object, digits: int) -> Decimal:
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return rounded if rounded else abs(rounded)


def usd(value: object, digits: int = 2) -> str:
    if value is None:
        return "N/A"
    rounded = fixed(value, digits)
    return ("\N{MINUS SIGN}" if rounded < 0 else "") + f"${abs(rounded):,}"


def percent(value: object) -> str:
    return "N/A" if value is None else f"{fixed(value * 100, 2)}%".replace("-", "\N{MINUS SIGN}")


def seconds(value: object) -> str:
    return "N/A" if value is None else f"{fixed(value, 1):,} s"


def moment(value: datetime | None, zone: str = "UTC") -> str:
    if value is None:
        return "N/A"
    return f"{value.astimezone(ZoneInfo(zone)):%-d %b %Y %H:%M}"


@pytest.fixture(scope="module", params=["sample", "demo", *list(HISTORIES)[1:]])
def history(request: pytest.FixtureRequest, server: embedded.Server) -> AppDatabase:
    if request.param == "demo":  # built once for all of the page's tests
        return request.getfixturevalue("demo_database")
    database = make_database(server)
    HISTORIES[request.param](database)
    as_of = sample.AS_OF if request.param == "sample" else AS_OF
    return keep_as(build(database, as_of=as_of.isoformat()), "figures")


@pytest.fixture(scope="module")
def page(history: AppDatabase):
    with page_of(history) as page:
        yield page


def assert_page_agrees(database: AppDatabase, shown: dict, month: date | None = None) -> None:
    """Compare all that the page says of a month with what SQL says of the marts."""
    query = database.query
    months = query(
        "select * from analytics.monthly_usage join analytics.monthly_cost using (month_start)"
        " join analytics.monthly_success_rate using (month_start) order by month_start desc"
    )
    month = month or months[0]["month_start"]
    months = [row for row in months if row["month_start"] <= month]
    (overview,) = query("select * from analytics.dashboard_overview")
    this = months[0]
    cards = {label: card["value"] for label, card in shown["cards"].items()}
    when = "This Month" if month == overview["as_of"].date().replace(day=1) else f"in {month:%b %Y}"
    ended = this["completed_generations"] + this["failed_generations"]
    assert cards == {
        f"Usage {when}": number(this["generations"]),
        "Success Rate": percent(this["success_rate"]),
        f"WaveSpeed Costs {when}": usd(this["vendor_cost_usd"]),
        "Active Users": number(overview["users_with_credits"]),
        "Failure Rate": percent(this["failure_rate"]) if ended else "0%",
        "Refunds Issued": number(this["refunds_issued"]),
        "Users Who Generated": number(this["active_users"]),
        "Credits Used": number(this["credits_used"]),
        "Gross Margin": usd(this["gross_margin_usd"]),
        "In Flight Now": number(overview["in_flight_generations"]),
    }
    assert shown["cards"]["In Flight Now"]["unit"] == (
        f"of which {number(overview['stuck_generations'])} stuck"
    )
    tables = shown["tables"]
    assert tables["months"][1:] == [
        [
            f"{row['month_start']:%b %Y}",
            number(row["generations"]),
            percent(row["success_rate"]),
            number(row["failed_generations"]),
            number(row["active_users"]),
            number(row["new_users"]),
            number(row["credits_used"]),
            number(row["refunds_issued"]),
            usd(row["vendor_cost_usd"]),
            usd(row["credit_revenue_usd"]),
            usd(row["gross_margin_usd"]),
            percent(row["gross_margin_rate"]),
            seconds(row["p50_duration_seconds"]),
            seconds(row["p95_duration_seconds"]),
        ]
        for row in months[:13]
    ]
    daily = query("select * from analytics.daily_usage")
    last = min((month + timedelta(days=31)).replace(day=1) - timedelta(1), overview["as_of"].date())
    days = [month + timedelta(days=each) for each in range((last - month).days + 1)]
    assert tables["days"][1:] == [_day(day, daily) for day in reversed(days)]
    providers = query(
        "select * from analytics.monthly_provider_breakdown where month_start = %s"
        " order by generations desc, vendor_cost_usd desc, provider_name, provider",
        [month],
    )
    assert [row[:-1] for row in tables["providers"][1:]] == [
        [
            row["provider_name"],
            number(row["generations"]),
            percent(row["share_of_generations"]),
            percent(row["success_rate"]),
            number(row["failed_generations"]),
            usd(row["vendor_cost_usd"]),
            number(row["generations_without_cost"]),
            usd(row["avg_cost_per_generation_usd"], 4),
            number(row["credits_used"]),
            number(row["active_users"]),
        ]
        for row in providers
    ]
    assert [line.split(" from ")[0] for line in shown["providers"]] == [
        f"{row['provider_name']}{number(row['generations'])} calls ({usd(row['vendor_cost_usd'])})"
        for row in providers
    ]
    in_month = [row for row in daily if month <= row["usage_date"] <= last]
    types = {row["enhancement_type"] for row in in_month}
    assert {row[0]: row[1] for row in tables.get("types", [[]])[1:]} == {
        name.replace("_", " "): number(
            sum(row["generations"] for row in in_month if row["enhancement_type"] == name)
        )
        for name in types
    }
    _assert_audit_agrees(database, tables)


def _day(day: date, daily: list[dict]) -> list[str]:
    rows = [row for row in daily if row["usage_date"] == day]

    def total(name: str) -> Decimal | int:
        return sum(row[name] for row in rows)

    completed, failed = total("completed_generations"), total("failed_generations")
    revenue = (total("credits_used") - total("credits_refunded")) * Decimal("0.02")
    return [
        f"{day:%a} {day.day} {day:%b}",
        number(total("generations")),
        number(completed),
        number(failed),
        percent(Decimal(completed) / (completed + failed) if completed + failed else None),
        number(total("credits_used")),
        number(total("refunds_issued")),
        usd(total("vendor_cost_usd")),
        usd(revenue - total("vendor_cost_usd")),
    ]


def _assert_audit_agrees(database: AppDatabase, tables: dict) -> None:
    findings = database.query("select * from analytics.credit_audit_findings")
    assert sorted(
        int(row[1].replace(",", "")) for row in tables.get("findings", [[]])[1:]
    ) == sorted(
        sum(row["finding_type"] == kind for row in findings)
        for kind in {row["finding_type"] for row in findings}
    )
    owed = sorted(
        (row for row in findings if row["finding_type"] in ("failed_not_refunded", "under_refund")),
        key=lambda row: (row["occurred_at"], row["finding_id"].encode()),
    )[:10]
    assert sorted((row[0], row[4], row[5]) for row in tables.get("owed", [[]])[1:]) == sorted(
        (
            moment(row["occurred_at"]),
            number(row["credits_at_stake"]),
            usd(row["credits_at_stake"] * Decimal("0.02")),
        )
        for row in owed
    )
    users = database.query("select * from analytics.credit_balance_reconciliation")
    tiers = {row["subscription_tier"] for row in users}
    assert {row[0]: (row[1], row[3]) for row in tables.get("credits", [[]])[1:]} == {
        tier or "no balance": (
            number(len([row for row in users if row["subscription_tier"] == tier])),
            number(sum(row["app_balance"] for row in users if row["subscription_tier"] == tier)),
        )
        for tier in tiers
    }


def test_figures_agree_with_the_marts(
    history: AppDatabase, page: Page, browser: webdriver.Chrome | None
) -> None:
    """Read from the DOM of Chromium where it is installed, else from the HTML."""
    shown = read_html(page.get().text)
    if browser is not None:
        browser.get(page.address)
        assert browser.execute_script(READ_DOM) == shown
    assert_page_agrees(history, shown)


def test_figures_of_earlier_months_agree(history: AppDatabase, page: Page) -> None:
    months = history.query("select month_start from analytics.monthly_usage order by 1")
    for row in months[-3:-1]:
        shown = read_html(page.get(f"/?month={row['month_start']:%Y-%m}").text)
        assert shown["title"] == f"{row['month_start']:%B %Y}"
        assert_page_agrees(history, shown, row["month_start"])


def test_a_month_that_is_over_is_compared_with_no_day_more(
    history: AppDatabase, page: Page
) -> None:
    *earlier, month, last = (
        row["month_start"]
        for row in history.query("select month_start from analytics.monthly_usage order by 1")
    )
    prior_end = month - timedelta(days=1)
    days = min((last - month).days, prior_end.day)
    compared = "There is no earlier month to compare with."
    if earlier:
        compared = f"Compared with 1\N{EN DASH}{days} {prior_end:%b %Y}, the same days."
    assert compared in page.get(f"/?month={month:%Y-%m}").text


def test_before_is_the_same_days_and_hours(history: AppDatabase, page: Page) -> None:
    assert_before_agrees(history, page, "UTC")


def assert_before_agrees(database: AppDatabase, page: Page, zone: str) -> None:
    """Count the generations of last month's same days and hours one by one."""
    (overview,) = database.query("select as_of from analytics.dashboard_overview")
    now = overview["as_of"].astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    start = datetime(now.year, now.month, 1)
    before = (start - timedelta(days=1)).replace(day=1)
    cut = min(before + (now - start), start)
    rows = [
        row
        for row in database.query("select * from analytics.fct_generations")
        if before
        <= (at := row["created_at"].astimezone(ZoneInfo(zone)).replace(tzinfo=None))
        <= cut
        and at < start
    ]
    shown = read_html(page.get().text)
    cards = shown["cards"]
    completed = sum(row["status"] == "completed" for row in rows)
    failed = sum(row["status"] == "failed" for row in rows)

    def earlier(label: str) -> str:
        return cards[label]["before"].rpartition("from ")[2]

    assert earlier("Usage This Month") == number(len(rows))
    assert earlier("WaveSpeed Costs This Month") == usd(
        sum((row["vendor_cost_usd"] or Decimal(0)) for row in rows)
    )
    assert earlier("Credits Used") == number(sum(row["credits_used"] for row in rows))
    assert earlier("Users Who Generated") == number(len({row["user_id"] for row in rows} - {None}))
    refunds = [
        row["created_at"].astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for row in database.query(
            "select created_at from analytics_intermediate.int_refunds_matched"
        )
    ]
    assert earlier("Refunds Issued") == number(
        sum(before <= at <= cut and at < start for at in refunds)
    )
    if completed + failed:
        assert earlier("Success Rate") == percent(Decimal(completed) / (completed + failed))
        assert earlier("Failure Rate") == percent(Decimal(failed) / (completed + failed))
    for line in shown["providers"]:
        label, calls = re.match(r"(.*?)[\d,]+ calls .* from ([\d,]+) \(", line).groups()
        names = database.query(
            "select distinct provider from analytics.monthly_provider_breakdown"
            " where provider_name = %s",
            [label],
        )
        assert calls == number(sum(row["provider"] == names[0]["provider"] for row in rows))


def test_filters_narrow_every_figure_that_they_can(history: AppDatabase, page: Page) -> None:
    rows = history.query(
        "select provider, enhancement_type, sum(generations) as generations,"
        " sum(vendor_cost_usd) as cost, sum(refunds_issued) as refunds"
        " from analytics.daily_usage"
        " where usage_date >= (select max(month_start) from analytics.monthly_usage)"
        " group by 1, 2 order by generations desc, 1, 2 limit 2"
    )
    assert rows
    for row in rows:
        address = f"/?provider={row['provider']}&type={row['enhancement_type']}"
        text = page.get(address.replace(" ", "+")).text
        cards = read_html(text)["cards"]
        assert cards["Usage This Month"]["value"] == number(row["generations"])
        assert cards["WaveSpeed Costs This Month"]["value"] == usd(row["cost"])
        assert cards["Refunds Issued"]["value"] == number(row["refunds"])
        (users,) = history.query(
            "select count(distinct user_id) from analytics.fct_generations where provider = %s and"
            " enhancement_type = %s and created_date >="
            " (select max(month_start) from analytics.monthly_usage)",
            [row["provider"], row["enhancement_type"]],
        )
        assert cards["Users Who Generated"]["value"] == number(users["count"])
        assert cards["Active Users"]["unit"] == "users with credits, all providers and types"
        (owed,) = history.query(
            "select count(*) as findings, sum(findings.credits_at_stake) as credits"
            " from analytics.credit_audit_findings as findings"
            " inner join analytics.fct_generations as facts using (generation_id)"
            " where finding_type in ('failed_not_refunded', 'under_refund')"
            " and provider = %s and enhancement_type = %s",
            [row["provider"], row["enhancement_type"]],
        )
        said = re.search(r'id="owed">.*</h2>\s*<p class="lead">([\d,.]+) credits', text)
        assert (said[1] if said else None) == (
            number(owed["credits"]) if owed["findings"] else None
        )


def test_python_models_are_shown_as_they_are(demo_database: AppDatabase, demo_page: Page) -> None:
    shown = read_html(demo_page.get().text)
    tables = shown["tables"]
    forecast = demo_database.query(
        "select * from analytics.cost_forecast where provider = 'all' order by month_start"
    )
    assert [(row[0], row[1], row[2], row[-1]) for row in tables["forecast"][1:]] == [
        (
            f"{row['month_start']:%b %Y}",
            usd(row["vendor_cost_to_date_usd"]),
            usd(row["vendor_cost_usd"]),
            row["forecast_status"].replace("_", " "),
        )
        for row in forecast
    ]
    assert "The budget of $30.00 is passed on 17 Dec 2024." in demo_page.get().text
    assert tables["forecast"][1][8:11] == ["$30.00", "17 Dec 2024", "100.00%"]
    latency = demo_database.query(
        "select provider, max(actual_value) as slowest, count(actual_value) as days"
        " from analytics.usage_anomalies where measure = 'median_duration_seconds'"
        " and usage_date >= '2024-12-01' group by 1 having count(actual_value) > 0"
    )
    names = demo_database.query("select provider, provider_name from analytics_seeds.providers")
    name_of = {row["provider"]: row["provider_name"] for row in names}
    assert {row[0]: (row[1], row[4]) for row in tables["latency"][1:]} == {
        name_of[row["provider"]]: (number(row["days"]), seconds(row["slowest"])) for row in latency
    }


SHOWN = {
    "attention": ["alerts"],
    "days": ["days"],
    "months": ["months"],
    "active-users": ["active_users"],
    "providers": ["providers", "types", "provider_margins", "type_margins"],
    "failures": ["failure_reasons", "failures"],
    "owed": ["owed"],
    "users": ["users"],
    "health": ["health"],
    "latency": ["latency", "latency_days"],
    "forecast": ["forecast", "forecast_record"],
    "anomalies": ["anomalies"],
    "credits": ["credits", "credit_movements", "circulation"],
    "findings": ["findings", "quality", "checks"],
}


def test_everything_that_was_asked_for_is_on_the_page(demo_page: Page) -> None:
    """Each part in its place with its tables, a file below each; none says that it lacks a mart."""
    text = demo_page.get().text
    found = {
        part: re.findall(r'href="[^"]*csv/(\w+)\.csv', section)
        for part, section in re.findall(
            r'<section aria-labelledby="([\w-]+)"(.*?)</section>', text, re.DOTALL
        )
        if part in SHOWN
    }
    assert list(found.items()) == list(SHOWN.items()), "in this order"
    assert "does not exist" not in text
    assert "Not built yet" not in text


def test_what_needs_attention_is_shown(demo_database: AppDatabase, demo_page: Page) -> None:
    """Each open alert; a message tells its age, which is another a moment later."""
    open_now = demo_database.query("select severity, message, since from analytics.alerts")
    assert open_now
    shown = read_html(demo_page.get().text)["tables"]["alerts"][1:]
    without_digits = re.compile(r"\d+")
    assert sorted((row[1], without_digits.sub("", row[2]), row[3]) for row in shown) == sorted(
        (row["severity"], without_digits.sub("", row["message"]), moment(row["since"]))
        for row in open_now
    )


def test_nightly_marts_are_shown_as_they_are(demo_database: AppDatabase, demo_page: Page) -> None:
    """Days of users and latency, what types and providers brought, and what moved credits."""
    tables = read_html(demo_page.get().text)["tables"]

    def rows(sql: str) -> list[dict]:
        return demo_database.query(sql)

    def day(value: date) -> str:
        return f"{value:%a} {value.day} {value:%b}"

    in_month = "is_all_providers and usage_date >= '2024-12-01' order by usage_date desc"
    users = rows(f"select * from analytics.daily_active_users where {in_month}")
    assert tables["active_users"][1:] == [
        [
            day(row["usage_date"]),
            *(number(row[f"active_users{window}"]) for window in ("", "_7d", "_30d")),
        ]
        for row in users
    ]
    latency = rows(f"select * from analytics.daily_latency where {in_month}")
    assert tables["latency_days"][1:] == [
        [
            day(row["usage_date"]),
            number(row["ended_generations"]),
            number(row["timed_generations"]),
            seconds(row["p50_duration_seconds"]),
            seconds(row["p95_duration_seconds"]),
        ]
        for row in latency
    ]
    for name, mart in (
        ("type_margins", "monthly_type_breakdown"),
        ("provider_margins", "monthly_provider_margin"),
    ):
        margins = rows(
            f"select * from analytics.{mart} where month_start = '2024-12-01'"
            " and (generations > 0 or refunds_issued > 0)"
        )
        label = "enhancement_type_name" if name == "type_margins" else "provider_name"
        assert margins
        assert {row[0]: row[-4:] for row in tables[name][1:]} == {
            row[label]: [
                usd(row["credit_revenue_usd"]),
                usd(row["vendor_cost_usd"]),
                usd(row["gross_margin_usd"]),
                percent(row["gross_margin_rate"]),
            ]
            for row in margins
        }
    months = rows("select * from analytics.monthly_credit_movements order by month_start desc")
    kinds = ("bought", "granted", "used", "refunded", "adjusted", "charged_otherwise")
    assert tables["credit_movements"][1:] == [
        [
            f"{row['month_start']:%b %Y}",
            *(number(row[f"credits_{kind}"]) for kind in (*kinds, "held", "released")),
            number(row["net_credits"]),
            usd(row["purchase_revenue_usd"]),
        ]
        for row in months
    ]
    (overview,) = rows("select * from analytics.dashboard_overview")
    outstanding = overview["total_credits_in_circulation"]
    assert [row[:3] for row in tables["circulation"][1:]] == [
        [day(AS_OF.date()), number(outstanding), usd(outstanding * Decimal("0.02"))]
    ]


def reasons_by_hand(database: AppDatabase, condition: str) -> dict[str, list[str]]:
    """By reason, what the facts say of the failures that meet a condition."""
    kinds = database.query("select * from analytics_intermediate.int_failure_reasons")
    reason_of = {row["error_message"]: row["reason"] for row in kinds}
    groups: dict[str, list[dict]] = {}
    for row in database.query(
        f"select * from analytics.fct_generations where status = 'failed' and {condition}"
    ):
        groups.setdefault(reason_of[row["error_message"] or ""], []).append(row)
    return {
        reason: [
            number(len(rows)),
            number(refunded := sum(row["is_refunded"] for row in rows)),
            number(sum(row["credits_used"] > 0 and not row["is_refunded"] for row in rows)),
            percent(Decimal(refunded) / len(rows)),
            number(sum(row["credits_refunded"] for row in rows)),
            moment(max(row["ended_at"] or row["created_at"] for row in rows)),
        ]
        for reason, rows in groups.items()
    }


def test_failures_by_reason(demo_database: AppDatabase, demo_page: Page) -> None:
    """Of the month, provider and type asked for, with an example of theirs; all of it as CSV."""
    busiest = demo_database.query(
        "select provider, enhancement_type from analytics.failures_by_month"
        " where month_start = '2024-11-01' order by failed_generations desc limit 1"
    )[0]
    provider, type_ = busiest.values()
    of_provider, of_type = f"provider = '{provider}'", f"enhancement_type = '{type_}'"
    for address, condition in {
        "": "created_date >= '2024-12-01'",
        "?month=2024-11": "created_date between '2024-11-01' and '2024-11-30'",
        f"?month=2024-11&provider={provider}&type={type_}": (
            f"created_date between '2024-11-01' and '2024-11-30' and {of_provider} and {of_type}"
        ),
    }.items():
        table = read_html(demo_page.get("/" + address).text)["tables"]["failure_reasons"]
        expected = reasons_by_hand(demo_database, condition)
        assert expected
        assert {row[0]: row[1:7] for row in table[1:]} == expected
        for row in table[1:]:
            (example,) = demo_database.query(
                f"select coalesce(error_message, 'N/A') as message, status"
                f" from analytics.fct_generations where generation_id = %s and {condition}",
                [row[-1]],
            )
            assert (row[-2], "failed") == (example["message"], example["status"])
        text = demo_page.get("/csv/failure_reasons.csv" + address).text
        lines = list(csv.DictReader(io.StringIO(text)))
        assert {row["reason"]: int(row["failed_generations"]) for row in lines} == {
            reason: int(cells[0].replace(",", "")) for reason, cells in expected.items()
        }


def test_reasons_add_up_to_failures(demo_database: AppDatabase) -> None:
    """Over reasons each measure is that of `failures_by_month`, whose example is one of theirs."""
    measures = ("failed_generations", "refunded_failures", "unrefunded_failures")
    sums = ", ".join(f"sum({name}) as {name}" for name in (*measures, "credits_refunded"))
    keys = "month_start, provider, enhancement_type"
    reasons = demo_database.query(
        f"select {keys}, {sums}, array_agg(example_generation_id) as examples"
        f" from analytics.failures_by_reason_month group by {keys} order by {keys}"
    )
    months = demo_database.query(
        "select *, example_generation_id as example from analytics.failures_by_month"
        f" order by {keys}"
    )
    assert months
    for row, month in zip(reasons, months, strict=True):
        assert month["example"] in row.pop("examples")
        assert row == {name: month[name] for name in row}
    unsorted = "select 1 from analytics.failures_by_reason_month where reason = 'not sorted yet'"
    assert demo_database.query(unsorted) == []


@pytest.mark.parametrize("history", ["sample"], indirect=True)
def test_a_night_that_made_no_reasons_costs_one_sentence(history: AppDatabase, page: Page) -> None:
    """Without Python models the page has all but what they make."""
    text = page.get().text
    assert history.query("select to_regclass('analytics.failures_by_reason_month') as mart") == [
        {"mart": None}
    ]
    shown = read_html(text)
    (said,) = (notice for notice in shown["notices"] if "not built yet" in notice)
    there = {
        row["relname"]
        for row in history.query(
            "select relname from pg_class where relnamespace = 'analytics'::regnamespace"
        )
    }
    missing = {mart for query in queries.TABLES.values() for mart in query.marts} - there
    missing -= {"vendor_claims"}  # read where there is a statement
    assert len(missing) > 1
    assert said == (
        f"{len(missing)} marts are not built yet, and their parts are empty: the nightly run,"
        " dbt build, makes them."
    )
    assert text.count("Not built yet.") >= len(missing)
    assert "does not exist" not in text
    assert "failures" in shown["tables"]


def test_health_is_of_the_last_hour_and_day(demo_database: AppDatabase, demo_page: Page) -> None:
    rows = demo_database.query(
        "select * from analytics.fct_generations"
        " where created_at > (select as_of from analytics.dashboard_overview) - interval '1 day'"
    )
    shown = read_html(demo_page.get().text)["tables"]["health"][1:]
    names = {
        row["provider_name"]: row["provider"]
        for row in demo_database.query("select * from analytics.monthly_provider_breakdown")
    }
    assert shown
    for row in shown:
        mine = [each for each in rows if each["provider"] == names[row[0]]]
        hour = [each for each in mine if each["created_at"] > AS_OF - timedelta(hours=1)]
        for cells, part in ((row[1:4], hour), (row[4:7], mine)):
            failed = sum(each["status"] == "failed" for each in part)
            ended = failed + sum(each["status"] == "completed" for each in part)
            rate = percent(Decimal(failed) / ended if ended else None)
            assert cells == [number(ended), number(failed), rate]
        successes = [each["created_at"] for each in mine if each["status"] == "completed"]
        assert row[-1] == moment(max(successes, default=None))


def test_the_trust_line_says_when_and_what_was_checked(
    demo_database: AppDatabase, demo_page: Page
) -> None:
    shown = read_html(demo_page.get().text)
    (newest,) = demo_database.query("select max(created_at) from analytics.fct_generations")
    assert f"Built as of {moment(AS_OF)} UTC." in shown["trust"]
    assert f"Last data arrived {moment(newest['max'])} UTC." in shown["trust"]
    checks = shown["tables"]["checks"][1:]
    passed = [row for row in checks if row[1] == "yes"]
    assert f"{len(passed)} of {len(checks)} checks passed" in shown["trust"]
    assert ["Days add up to months", "yes"] in [row[:2] for row in checks]
    assert any("These figures are old" in notice for notice in shown["notices"])
    assert not re.search(r"[a-z]_[a-z]", shown["trust"]), "figures by words, not by columns"
    status = demo_database.query("select figure, status from analytics.data_quality_status")
    for row in status:
        name = row["figure"].removesuffix("_usd").replace("_", " ")
        assert (f"{name} (" in shown["trust"]) == (row["status"] != "pass")
    earlier = read_html(demo_page.get("/?month=2024-11").text)["trust"]
    assert "Of December 2024, " in earlier


def test_a_check_that_fails_is_found(empty_marts: AppDatabase) -> None:
    empty_marts.execute(
        "update analytics.monthly_usage set generations = 5;"
        " insert into analytics.rejected_rows (source_table, row_id, reject_reason)"
        " values ('enhancement_tasks', 'x', 'missing_id')"
    )
    with page_of(empty_marts) as page:
        shown = read_html(page.get().text)
    checks = {row[0]: row[1:3] for row in shown["tables"]["checks"][1:]}
    assert checks["Days add up to months"] == ["no", "5 generations differ"]
    assert checks["Every row of the app is counted"] == ["no", "1 rows of the app are in no figure"]
    assert "5 generations differ" in shown["trust"]


def test_no_data_reads_as_the_brief_says(database: AppDatabase) -> None:
    """The zero state of the brief's panel, word for word."""
    users = [f"00000000-0000-0000-0000-00000000000{each}" for each in range(7)]
    database.insert(
        "user_credits",
        *({"user_id": user, "current_balance": 15, "subscription_tier": "free"} for user in users),
    )
    build(database)
    with page_of(database) as page:
        answer = page.get()
    shown = read_html(answer.text)
    cards = {label: (card["value"], card["unit"]) for label, card in shown["cards"].items()}
    assert cards["Usage This Month"] == ("0", "generations")
    assert cards["Success Rate"] == ("N/A", "(no data yet)")
    assert cards["WaveSpeed Costs This Month"][0] == "$0.00"
    assert cards["Active Users"] == ("7", "users with credits")
    assert cards["Failure Rate"][0] == "0%"
    assert cards["Refunds Issued"][0] == "0"
    for line in ("NanoBanana0 calls ($0.00)", "Seedream0 calls ($0.00)"):
        assert line in shown["providers"]
    assert "No data has arrived yet." in shown["trust"]
    assert list(shown["cards"])[:6] == [
        *("Usage This Month", "Success Rate", "WaveSpeed Costs This Month", "Active Users"),
        *("Failure Rate", "Refunds Issued"),
    ]


@pytest.mark.parametrize(
    ("as_of", "compared"),
    [
        ("2024-12-04T15:30:00+00:00", "1\N{EN DASH}4 Nov 2024 until 16:30 Europe/Berlin"),
        ("2024-03-31T12:00:00+00:00", "1\N{EN DASH}29 Feb 2024, the same days"),
        ("2024-11-30T23:30:00+00:00", "1 Nov 2024 until 00:30 Europe/Berlin"),
    ],
)
def test_days_and_hours_are_those_of_the_reporting_timezone(
    database: AppDatabase, as_of: str, compared: str
) -> None:
    loosen(database)
    moments = [datetime.fromisoformat(as_of) - timedelta(days=days) for days in (1, 29, 31, 33)]
    load(database, write_histories(5, moments))
    build(database, as_of=as_of, reporting_timezone="Europe/Berlin")
    with page_of(database) as page:
        text = page.get().text
        assert compared in text
        assert "Days, months and times are in Europe/Berlin." in text
        assert_before_agrees(database, page, "Europe/Berlin")


def test_every_figure_names_its_mart_and_column(
    demo_database: AppDatabase, demo_page: Page
) -> None:
    columns = {
        (row["table_name"], row["column_name"])
        for row in demo_database.query(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'analytics'"
        )
    }
    for address in ("/", "/?provider=seedream", "/?type=style"):
        shown = read_html(demo_page.get(address).text)
        for label, card in shown["cards"].items():
            mart, _, names = card["source"].partition(".")
            assert names, label
            assert {(mart, name.strip()) for name in names.split(",")} <= columns, label
    for query in queries.TABLES.values():
        for column in query.columns:
            assert tuple(column.source.split(".")) in columns or query.name == "checks", column


def test_a_run_is_seen_within_seconds(empty_marts: AppDatabase) -> None:
    """Until then readers get the page before; its figures and its moment are of one run."""
    database = empty_marts
    with page_of(database) as page:
        before = page.get().text
        assert read_html(before)["cards"]["Usage This Month"]["value"] == "0"
        assert "Built as of 4 Dec 2024 15:30 UTC." in before
        database.insert(
            "enhancement_tasks",
            {
                "user_id": "00000000-0000-0000-0000-000000000001",
                "provider": "wan",
                "status": "completed",
                "enhancement_type": "style",
                "created_at": AS_OF - timedelta(hours=1),
            },
        )
        build(database, as_of=(AS_OF + timedelta(minutes=10)).isoformat())
        ended = time.monotonic()
        while True:
            asked = time.monotonic()
            text = page.get().text
            if read_html(text)["cards"]["Usage This Month"]["value"] == "1":
                break
            assert "Built as of 4 Dec 2024 15:30 UTC." in text
            assert asked - ended < BEHIND_SECONDS
            time.sleep(0.05)
    assert "Built as of 4 Dec 2024 15:40 UTC." in text
    assert asked - ended < BEHIND_SECONDS


def test_figures_of_one_page_are_of_one_snapshot(empty_marts: AppDatabase) -> None:
    """A run that ends between two queries of a page is not seen by the second."""
    environment = {"PGHOST": empty_marts.server.host, "PGPORT": str(empty_marts.server.port)}
    environment |= {"PGUSER": "paygen_reader", "PGDATABASE": empty_marts.name}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        marts = Database()
        with marts.snapshot() as snapshot:
            text = "select count(*) as n from {schema}.rejected_rows"
            first = snapshot.rows(text, (), {})
            empty_marts.execute(
                "insert into analytics.rejected_rows (source_table, reject_reason)"
                " values ('enhancement_tasks', 'missing_id')"
            )
            assert snapshot.rows(text, (), {}) == first
        with marts.snapshot() as snapshot:
            assert snapshot.rows(text, (), {})[0]["n"] == first[0]["n"] + 1
        marts.close()
