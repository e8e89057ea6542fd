"""Another app's tables through a mapping: its names, types, words and schemas, and exact marts."""

from collections.abc import Iterator

import pytest

from demo.server import Server
from tests.mapping.foreign import STUDIO, STUDIO_MAPPING, Foreign, foreign_app


@pytest.fixture(scope="module")
def studio(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """A studio's database, built once."""
    folder = tmp_path_factory.mktemp("studio")
    with foreign_app(server, folder, STUDIO, STUDIO_MAPPING) as app:
        assert app.build().success
        yield app


def test_marts_are_exact(studio: Foreign) -> None:
    """Each figure as worked out by hand from the studio's eight ledger rows and four jobs."""
    assert studio.rows(
        "select month_start::text, generations, completed_generations, failed_generations,"
        " in_flight_generations, credits_used, credits_refunded"
        " from analytics.monthly_usage order by 1"
    ) == [("2024-04-01", 1, 1, 0, 0, "2.5", "0"), ("2024-05-01", 3, 1, 1, 1, "5", "2.5")]
    assert studio.rows(
        "select month_start::text, vendor_cost_usd, list_cost_usd"
        " from analytics.monthly_cost order by 1"
    ) == [("2024-04-01", "0.04", "0.04"), ("2024-05-01", "0.04", "0.04")]
    assert studio.rows(
        "select generation_id, user_id, provider, enhancement_type, status, duration_seconds,"
        " credits_used, recorded_cost_usd, error_message from analytics.fct_generations order by 1"
    ) == [
        ("job_0", "user_bob", "flux", "still", "completed", "9", "2.5", "0.04", None),
        ("job_1", "user_ann", "flux", "still", "completed", "20", "2.5", "0.04", None),
        ("job_2", "user_ann", "flux", "still", "failed", "5", "2.5", "0.04", "timeout"),
        ("job_3", "user_bob", "veo", "clip", "processing", None, "0", None, None),
    ]
    assert studio.rows(
        "select user_id, subscription_tier, tier_monthly_credits, app_balance, ledger_balance,"
        " drift from analytics.credit_balance_reconciliation order by 1"
    ) == [
        ("user_ann", "studio", "99.5", "27", "27", "0"),
        ("user_bob", "hobby", "10", "1.5", "1.5", "0"),
    ]
    assert studio.rows(
        "select month_start::text, provider, provider_name, generations"
        " from analytics.monthly_provider_breakdown order by 1, 2"
    ) == [
        ("2024-04-01", "flux", "FLUX", 1),
        ("2024-04-01", "veo", "veo", 0),
        ("2024-05-01", "flux", "FLUX", 2),
        ("2024-05-01", "veo", "veo", 1),
    ]
    assert studio.rows("select finding_type from analytics.credit_audit_findings") == []
    assert studio.rows("select reject_reason from analytics.rejected_rows") == []
