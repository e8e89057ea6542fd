"""Each defect of the app's tables alone, with its numbers written by hand."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from local_postgres.server import Server
from tests.app_rows import (
    Row,
    after,
    bare_charge,
    build,
    charge,
    refund,
    relocated,
    task,
    uuid_of,
)
from tests.conftest import make_database
from tests.table_shapes import loosen

FAILED = {"status": "failed", "updated_at": after(seconds=15)}
PRICE = Decimal("0.038")
# Every character that a text may hold up to U+00FF, marks of direction and order, 100 kB of them.
JUNK = 350 * (
    "".join(map(chr, [*range(1, 256), 0x2028, 0x202E, 0xFEFF, 0x1F34C])) + "%s{{ x }}$$--"
)
DELETED_USER = "refund_without_type_for_a_deleted_user"


@dataclass(frozen=True)
class Defect:
    """Rows with one defect and what the marts must say of them."""

    enhancement_tasks: list[Row] = field(default_factory=lambda: [task()])
    credit_transactions: list[Row] = field(default_factory=lambda: [charge()])
    generations: list[Row] = field(default_factory=lambda: [{}])
    findings: list[str] = field(default_factory=list)
    rejects: list[str] = field(default_factory=list)


# What a generation without a defect says.
SOUND = {
    "generation_id": uuid_of("task"),
    "user_id": uuid_of("ann"),
    "provider": "nanobanana",
    "enhancement_type": "image_gen",
    "status": "completed",
    "credits_used": 2,
    "credits_refunded": 0,
    "vendor_cost_usd": PRICE,
    "recorded_cost_usd": PRICE,
    "duration_seconds": 15,
    "record_source": "task",
}
IS_FAILED = {"status": "failed", "vendor_cost_usd": 0}
FROM_CHARGE = {"record_source": "charge", "duration_seconds": None}

DEFECTS = {
    "none": Defect(),
    "shadow_charge": Defect(credit_transactions=[charge(), bare_charge()]),
    "shadow_at_the_end_of_the_window": Defect(
        credit_transactions=[charge(), bare_charge(created_at=after(seconds=301))],
    ),
    "bare_charge_beyond_the_window": Defect(
        credit_transactions=[charge(), bare_charge(created_at=after(seconds=302))],
        generations=[
            {},
            FROM_CHARGE
            | {
                "generation_id": uuid_of("bare"),
                "provider": "unknown",
                "vendor_cost_usd": None,
                "recorded_cost_usd": None,
            },
        ],
    ),
    "two_shadows_of_one_charge": Defect(
        credit_transactions=[
            charge(),
            bare_charge(),
            bare_charge("bare 2", created_at=after(seconds=9)),
        ],
        generations=[
            {},
            FROM_CHARGE
            | {
                "generation_id": uuid_of("bare 2"),
                "provider": "unknown",
                "vendor_cost_usd": None,
                "recorded_cost_usd": None,
            },
        ],
    ),
    "double_charge": Defect(
        credit_transactions=[
            charge(),
            charge("again", created_at=after(seconds=2), cost_usd=Decimal("0.05")),
        ],
        generations=[{"credits_used": 4}],
        findings=["double_charge"],
    ),
    "charge_without_task": Defect(
        enhancement_tasks=[],
        generations=[FROM_CHARGE],
    ),
    "task_without_charge": Defect(
        credit_transactions=[],
        generations=[
            {
                "credits_used": 0,
                "vendor_cost_usd": Decimal("0.025"),
                "recorded_cost_usd": Decimal("0.025"),
            }
        ],
        findings=["cost_mismatch"],
    ),
    "charge_never_updated": Defect(credit_transactions=[charge(status="processing")]),
    "provider_alias": Defect(
        enhancement_tasks=[task(provider=" NanoBanan ")],
        credit_transactions=[charge(provider="wavespeed-nanobanan")],
    ),
    "unknown_provider": Defect(
        enhancement_tasks=[task(provider="Brand-New ")], generations=[{"provider": "brand-new"}]
    ),
    "null_provider_and_user": Defect(enhancement_tasks=[task(provider=None, user_id=None)]),
    "unknown_status": Defect(
        enhancement_tasks=[task(status="Exploded")],
        generations=[{"status": "exploded", "vendor_cost_usd": 0, "duration_seconds": None}],
    ),
    "status_refunded": Defect(
        enhancement_tasks=[task(status="refunded")],
        generations=[IS_FAILED],
        findings=["failed_not_refunded"],
    ),
    "failed_not_refunded": Defect(
        enhancement_tasks=[task(**FAILED)],
        generations=[IS_FAILED],
        findings=["failed_not_refunded"],
    ),
    "refund_with_negative_sign": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund(credits_used=-2, api_request_id=uuid_of("task"))],
        generations=[IS_FAILED | {"credits_refunded": 2}],
    ),
    "refund_without_task_id": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund()],
        generations=[IS_FAILED | {"credits_refunded": 2}],
    ),
    "refund_at_the_end_of_the_window": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund(created_at=after(hours=24, seconds=15))],
        generations=[IS_FAILED | {"credits_refunded": 2}],
    ),
    "refund_after_the_window": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund(created_at=after(hours=24, seconds=16))],
        generations=[IS_FAILED],
        findings=["failed_not_refunded", "refund_without_charge"],
    ),
    "refund_before_the_failure": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund(created_at=after(seconds=14))],
        generations=[IS_FAILED],
        findings=["failed_not_refunded", "refund_without_charge"],
    ),
    "refund_of_another_type": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund(enhancement_type="style")],
        generations=[IS_FAILED],
        findings=["failed_not_refunded", "refund_without_charge"],
    ),
    DELETED_USER: Defect(
        enhancement_tasks=[task(**FAILED, user_id=None)],
        credit_transactions=[charge(user_id=None), refund(enhancement_type=None, user_id=None)],
        generations=[IS_FAILED | {"credits_refunded": 2, "user_id": None}],
    ),
    "fail_fail_refund_refund": Defect(
        enhancement_tasks=[
            task(**FAILED),
            task("task 2", **FAILED | {"created_at": after(seconds=3)}),
        ],
        credit_transactions=[
            charge(),
            charge("charge 2", api_request_id=uuid_of("task 2")),
            refund(),
            refund("refund 2"),
        ],
        generations=[
            IS_FAILED | {"credits_refunded": 2},
            IS_FAILED
            | {"credits_refunded": 2, "generation_id": uuid_of("task 2"), "duration_seconds": 12},
        ],
    ),
    "double_refund": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[
            charge(),
            refund(api_request_id=uuid_of("task")),
            refund("again", api_request_id=uuid_of("task")),
        ],
        generations=[IS_FAILED | {"credits_refunded": 4}],
        findings=["double_refund"],
    ),
    "refund_of_half": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund(credits_used=1)],
        generations=[IS_FAILED | {"credits_refunded": 1}],
        findings=["under_refund"],
    ),
    "refund_of_too_much": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(), refund(credits_used=3)],
        generations=[IS_FAILED | {"credits_refunded": 3}],
        findings=["over_refund"],
    ),
    "refunded_but_completed": Defect(
        credit_transactions=[charge(), refund(api_request_id=uuid_of("task"))],
        generations=[{"credits_refunded": 2}],
        findings=["refunded_but_completed"],
    ),
    "refund_without_charge": Defect(
        enhancement_tasks=[],
        credit_transactions=[refund()],
        generations=[],
        findings=["refund_without_charge"],
    ),
    "hard_coded_cost": Defect(
        credit_transactions=[charge(cost_usd=Decimal("0.10"))],
        generations=[{"vendor_cost_usd": Decimal("0.1"), "recorded_cost_usd": Decimal("0.1")}],
        findings=["cost_mismatch"],
    ),
    "cost_within_the_tolerance": Defect(
        credit_transactions=[charge(cost_usd=Decimal("0.0381"))],
        generations=[
            {"vendor_cost_usd": Decimal("0.0381"), "recorded_cost_usd": Decimal("0.0381")}
        ],
    ),
    "negative_cost": Defect(
        credit_transactions=[charge(cost_usd=-1)],
        generations=[{"vendor_cost_usd": Decimal("0.025"), "recorded_cost_usd": Decimal("0.025")}],
        findings=["cost_mismatch"],
    ),
    "cost_not_a_number": Defect(
        enhancement_tasks=[task(cost_usd=None)],
        credit_transactions=[charge(cost_usd=Decimal("NaN"))],
        generations=[{"vendor_cost_usd": None, "recorded_cost_usd": None}],
    ),
    "negative_credits": Defect(credit_transactions=[charge(credits_used=-2)]),
    "zero_credits": Defect(
        credit_transactions=[charge(credits_used=0)], generations=[{"credits_used": 0}]
    ),
    "marketplace_payment_is_no_generation": Defect(
        credit_transactions=[
            charge(),
            charge("shop", enhancement_type="marketplace_payment", api_request_id=None),
        ],
    ),
    "grant_is_no_generation": Defect(
        credit_transactions=[charge(), charge("gift", transaction_type="purchase")]
    ),
    "credits_at_the_ends_of_their_type": Defect(
        enhancement_tasks=[task(), task("task 2", created_at=after(seconds=9))],
        credit_transactions=[
            charge(credits_used=2**31 - 1),
            charge("charge 2", credits_used=-(2**31), api_request_id=uuid_of("task 2")),
        ],
        generations=[
            {"credits_used": 2**31 - 1},
            {"credits_used": 2**31, "generation_id": uuid_of("task 2"), "duration_seconds": 6},
        ],
    ),
    "infinite_cost": Defect(
        enhancement_tasks=[task(cost_usd=Decimal("-Infinity"))],
        credit_transactions=[charge(cost_usd=Decimal("Infinity"))],
        generations=[{"vendor_cost_usd": None, "recorded_cost_usd": None}],
    ),
    "junk_in_texts": Defect(
        enhancement_tasks=[task(**FAILED, error_message=JUNK)],
        credit_transactions=[
            charge(error_message=JUNK, provider="robert'); drop table tasks;--"),
            refund(api_request_id=uuid_of("task"), error_message=JUNK),
        ],
        generations=[IS_FAILED | {"credits_refunded": 2}],
    ),
    "end_that_never_comes": Defect(
        enhancement_tasks=[task(updated_at="infinity")], generations=[{"duration_seconds": None}]
    ),
    "end_before_all_time": Defect(
        enhancement_tasks=[task(updated_at="-infinity")], generations=[{"duration_seconds": None}]
    ),
    "created_before_all_time": Defect(
        enhancement_tasks=[task(), task("first", created_at="-infinity", updated_at=None)],
        credit_transactions=[charge(), charge("year one", created_at="0001-01-01 00:00:00+00")],
        rejects=["impossible_created_at", "impossible_created_at"],
    ),
    "never_created": Defect(
        enhancement_tasks=[task(), task("last", created_at="infinity", updated_at=None)],
        credit_transactions=[charge(), charge("never", created_at="infinity")],
    ),
    "negative_duration": Defect(
        enhancement_tasks=[task(updated_at=after(seconds=-1))],
        generations=[{"duration_seconds": None}],
    ),
    "created_at_only_on_the_charge": Defect(
        enhancement_tasks=[task(created_at=None)], generations=[{"duration_seconds": 14}]
    ),
    "created_at_nowhere": Defect(
        enhancement_tasks=[task(created_at=None)],
        credit_transactions=[],
        generations=[],
        rejects=["missing_created_at"],
    ),
    "task_in_the_future": Defect(
        enhancement_tasks=[task(), task("later", created_at=after(days=30), updated_at=None)]
    ),
    "ledger_row_in_the_future": Defect(
        credit_transactions=[charge(), charge("later", created_at=after(days=30))]
    ),
    "ids_that_differ_by_case": Defect(
        credit_transactions=[charge(api_request_id=uuid_of("task").upper())]
    ),
    "names_that_differ_by_case": Defect(
        enhancement_tasks=[task(id="job-a"), task(id="JOB-A", created_at=after(seconds=5))],
        credit_transactions=[charge(api_request_id="JOB-A")],
        generations=[
            {
                "generation_id": "job-a",
                "credits_used": 0,
                "vendor_cost_usd": Decimal("0.025"),
                "recorded_cost_usd": Decimal("0.025"),
            },
            {"generation_id": "JOB-A", "duration_seconds": 10},
        ],
        findings=["cost_mismatch"],
    ),
    "ids_without_dashes_or_in_braces": Defect(
        enhancement_tasks=[task(id="{" + uuid_of("task").upper() + "}\n")],
        credit_transactions=[charge(api_request_id=" " + uuid_of("task").replace("-", ""))],
    ),
    "empty_request_id": Defect(
        enhancement_tasks=[],
        credit_transactions=[charge(api_request_id="  ")],
        generations=[FROM_CHARGE | {"generation_id": uuid_of("charge")}],
    ),
    "task_twice": Defect(
        enhancement_tasks=[task(status="processing"), task(updated_at=after(seconds=16))],
        generations=[{"duration_seconds": 16}],
        rejects=["duplicate_id"],
    ),
    "charge_twice": Defect(credit_transactions=[charge(), charge()], rejects=["duplicate_id"]),
    "missing_ids": Defect(
        enhancement_tasks=[task(), task(id=None)],
        credit_transactions=[charge(), charge(id=" ")],
        rejects=["missing_id", "missing_id"],
    ),
    "charge_without_time": Defect(
        credit_transactions=[charge(), charge("timeless", created_at=None)],
        rejects=["missing_created_at"],
    ),
    "charge_without_credits": Defect(
        credit_transactions=[charge(), charge("void", credits_used=None)],
        rejects=["missing_credits"],
    ),
    "charge_of_impossible_credits": Defect(
        credit_transactions=[
            charge(),
            charge("nan", credits_used=Decimal("NaN")),
            charge("endless", credits_used=Decimal("Infinity")),
            charge("beyond", credits_used=Decimal("1e16")),
        ],
        rejects=["impossible_credits"] * 3,
    ),
    "fractional_credits": Defect(
        credit_transactions=[
            charge(credits_used=Decimal("0.10")),
            charge("again", credits_used=Decimal("0.2"), created_at=after(seconds=2)),
        ],
        generations=[{"credits_used": Decimal("0.3")}],
        findings=["double_charge"],
    ),
    "cost_below_a_millionth": Defect(
        credit_transactions=[charge(cost_usd=Decimal("0.0000004"))],
        generations=[
            {"vendor_cost_usd": Decimal("0.0000004"), "recorded_cost_usd": Decimal("0.0000004")}
        ],
        findings=["cost_mismatch"],
    ),
    "charge_that_never_took_effect": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[charge(status="Reversed ")],
        generations=[
            IS_FAILED | {"credits_used": 0, "recorded_cost_usd": Decimal("0.025")},
        ],
        findings=["cost_mismatch"],
    ),
    "refund_that_never_took_effect": Defect(
        enhancement_tasks=[task(**FAILED)],
        credit_transactions=[
            charge(),
            refund(api_request_id=uuid_of("task"), status="voided"),
            refund("held", status="held"),
        ],
        generations=[IS_FAILED],
        findings=["failed_not_refunded"],
    ),
    "held_charge_without_task": Defect(
        enhancement_tasks=[],
        credit_transactions=[charge(status="authorized"), charge("held", status="held")],
        generations=[],
    ),
    "hold_settled": Defect(
        credit_transactions=[
            charge("hold", transaction_type="reserve", credits_used=5),
            charge("release", transaction_type="release", credits_used=5),
            charge(),
        ],
    ),
    "unknown_type_with_a_hold": Defect(
        credit_transactions=[charge(), charge("tip", transaction_type="tip_jar", status="held")],
        rejects=["unknown_transaction_type"],
    ),
    "unknown_transaction_type": Defect(
        credit_transactions=[charge(), charge("tip", transaction_type="tip_jar")],
        rejects=["unknown_transaction_type"],
    ),
}


@pytest.fixture(scope="module")
def marts(server: Server) -> dict[str, list[Row]]:
    """What one build makes of all defects, each of them under users and ids of its own."""
    database = make_database(server)
    loosen(database)
    for name, defect in DEFECTS.items():
        for table in ("enhancement_tasks", "credit_transactions"):
            database.insert(table, *(relocated(row, name) for row in getattr(defect, table)))
    build(database)
    return {
        mart: database.query(f"select * from analytics.{mart} order by created_at")
        for mart in ("fct_generations", "rejected_rows")
    } | {"findings": database.query("select * from analytics.credit_audit_findings order by 2")}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect_alone(marts: dict[str, list[Row]], name: str) -> None:
    """The generations, findings and rejected rows of one defect are those written above."""
    defect = DEFECTS[name]
    own = {mart: [row for row in rows if _is_of(row, name)] for mart, rows in marts.items()}
    expected = [relocated(SOUND | changes, name) for changes in defect.generations]
    findings = [row["finding_type"] for row in own["findings"]]
    assert [{key: row[key] for key in SOUND} for row in own["fct_generations"]] == expected
    assert sorted(set(findings) - {"balance_drift"}) == defect.findings
    assert [row["reject_reason"] for row in own["rejected_rows"]] == defect.rejects


def _is_of(row: Row, name: str) -> bool:
    return row["user_id"] == (uuid_of(name + uuid_of("ann")) if name != DELETED_USER else None)
