"""The contract's sample: the build equals its answers to the digit."""

from decimal import Decimal

import pytest

from tests import sample
from tests.app_database import AppDatabase
from tests.histories import load
from tests.marts.comparison import assert_marts_equal
from tests.oracle import Options, answers

pytestmark = pytest.mark.skipif(
    not sample.FOLDER.is_dir(), reason=f"the sample is not at {sample.FOLDER}"
)


def test_oracle_equals_expected() -> None:
    """The oracle itself is right, so far as the contract gives answers."""
    computed = answers(sample.app_tables(), Options(as_of=sample.AS_OF))
    assert _as_expected(computed) == _exact(sample.expected())


def test_build_equals_expected(any_database: AppDatabase) -> None:
    """A full build answers as the contract does, and as the oracle in everything else."""
    tables = sample.app_tables()
    load(any_database, tables)
    any_database.dbt("build", variables={"as_of": sample.AS_OF.isoformat()}, reports=True)
    computed = answers(tables, Options(as_of=sample.AS_OF))
    built = {mart: any_database.query(f"select * from analytics.{mart}") for mart in computed}
    assert _as_expected(built) == _exact(sample.expected())
    assert_marts_equal(any_database, computed)


def _as_expected(marts: dict[str, list[dict]]) -> dict:
    """Bring marts into the form of expected.json, with every field that it has."""
    expected = sample.expected()
    overview = marts["dashboard_overview"][0]
    monthly = ("monthly_usage", "monthly_cost", "monthly_success_rate")
    months: dict[str, dict] = {}
    for row in (row for mart in monthly for row in marts[mart]):
        months.setdefault(str(row["month_start"]), {}).update(row)
    providers = {
        f"{row['month_start']}|{row['provider']}": row
        for row in marts["monthly_provider_breakdown"]
    }
    findings = [row["finding_type"] for row in marts["credit_audit_findings"]]
    return {
        "months": {key: _fields(months[key], like) for key, like in expected["months"].items()},
        "providers": {
            key: _fields(providers[key], like) for key, like in expected["providers"].items()
        },
        "audit": {finding: findings.count(finding) for finding in expected["audit"]},
        "balance_drift_users": findings.count("balance_drift"),
        "users_with_credits": overview["users_with_credits"],
        "total_credits_in_circulation": overview["total_credits_in_circulation"],
    }


def _fields(row: dict, like: dict) -> dict:
    return {name: row[name] for name in like}


def _exact(value: object) -> object:
    """Figures of a JSON file as exact numbers."""
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    return Decimal(str(value))
