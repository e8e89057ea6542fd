"""How often the generated data has each defect that `source_tables.md` describes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """Each rate is a fraction of 1, of what its comment names. README.md has the same table."""

    # of generations
    charge_without_task: float = 0.03  # the route wrote a full charge only, without request id
    charge_for_missing_task: float = 0.005  # a full charge whose request id names no task
    bare_charge_alone: float = 0.005  # a bare charge that nothing followed
    refund_without_task: float = 0.003  # besides: failed before the task was stored
    marketplace_payment: float = 0.008  # besides: a charge that is no generation
    deleted_account: float = 0.02  # of users: half keep their ledger rows, with a null user

    # of tasks
    failed: float = 0.015  # outside of bursts
    burst_hour: float = 0.01  # of the hours of each provider
    failed_in_burst: float = 0.25
    cancelled: float = 0.003
    stuck: float = 0.001  # pending or processing for ever
    provider_misspelt: float = 0.30  # of the calls of nanobanana and seedream
    hard_coded_task_cost: float = 0.90  # 0.025 or 0.05, of image tasks

    # of tasks whose account keeps its ledger rows
    lost_ledger_insert: float = 0.003  # the balance went down, the ledger does not know
    shadow_charge: float = 0.30  # of charged tasks: a bare charge came first
    double_charge: float = 0.001  # of charged tasks: two full charges
    hard_coded_ledger_cost: float = 0.04  # of charged tasks: 0.10 whatever the model
    charge_left_processing: float = 0.05  # of charged tasks
    refunded_but_completed: float = 0.001  # of charged, completed tasks

    # of failed, charged tasks
    not_refunded: float = 0.08
    # of refunded failed tasks
    refund_without_request_id: float = 0.50  # `+n` of refund_user_credits(); the rest is `-n` by id
    under_refund: float = 0.05  # 1 credit back where 2 or more were taken
    double_refund: float = 0.02
    late_refund: float = 0.03  # 1 to 10 days after the failure
