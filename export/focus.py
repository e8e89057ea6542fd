"""Vendor cost as FOCUS 1.2 has it: a row for each day, provider and type with a generation.

The columns are all that version 1.2 says MUST be present, and those that it recommends or asks for
of a vendor who counts usage. Dates are the bounds of our days and months, in UTC.
"""

from collections.abc import Iterator
from typing import Any

from reader.database import Snapshot

VERSION = "1.2"
MARTS = ("daily_usage", "monthly_provider_breakdown")

# Costs and quantities keep a decimal point: readers that guess types take them for decimals.
QUERY = """
with days as (

    select
        usage.*,
        coalesce(providers.provider_name, usage.provider) as provider_name,
        timezone(%(zone)s, usage.usage_date::timestamp) as starts_at,
        timezone(%(zone)s, (usage.usage_date + 1)::timestamp) as ends_at
    from {schema}.daily_usage as usage
    left join {schema}.monthly_provider_breakdown as providers
        on usage.provider = providers.provider and providers.month_start = %(month)s::date
    where
        usage.usage_date >= %(month)s::date
        and usage.usage_date < (%(month)s::date + interval '1 month')::date
        and usage.generations > 0

),

bounds as (

    select
        timezone(%(zone)s, %(month)s::timestamp) as starts_at,
        timezone(%(zone)s, %(month)s::timestamp + interval '1 month') as ends_at

)

select
    days.vendor_cost_usd + 0.000000 as "BilledCost",
    'default' as "BillingAccountId",
    'default' as "BillingAccountName",
    'USD' as "BillingCurrency",
    to_char(timezone('UTC', bounds.ends_at), %(form)s) as "BillingPeriodEnd",
    to_char(timezone('UTC', bounds.starts_at), %(form)s) as "BillingPeriodStart",
    'Usage' as "ChargeCategory",
    null as "ChargeClass",
    format('%%s, %%s: %%s generations', days.provider_name, days.enhancement_type, days.generations)
        as "ChargeDescription",
    'Usage-Based' as "ChargeFrequency",
    to_char(timezone('UTC', days.ends_at), %(form)s) as "ChargePeriodEnd",
    to_char(timezone('UTC', days.starts_at), %(form)s) as "ChargePeriodStart",
    null as "CommitmentDiscountStatus",
    days.generations + 0.0 as "ConsumedQuantity",
    'Generations' as "ConsumedUnit",
    days.vendor_cost_usd + 0.000000 as "ContractedCost",
    days.vendor_cost_usd + 0.000000 as "EffectiveCost",
    null as "InvoiceId",
    days.provider_name as "InvoiceIssuerName",
    days.list_cost_usd + 0.000000 as "ListCost",
    'Standard' as "PricingCategory",
    days.generations + 0.0 as "PricingQuantity",
    'Generations' as "PricingUnit",
    days.provider_name as "ProviderName",
    days.provider_name as "PublisherName",
    'AI and Machine Learning' as "ServiceCategory",
    days.provider_name as "ServiceName",
    'Generative AI' as "ServiceSubcategory",
    days.enhancement_type as "x_EnhancementType"
from days
cross join bounds
order by days.usage_date, days.provider collate "C", days.enhancement_type collate "C"
"""

COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountStatus",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "x_EnhancementType",
)


def read(snapshot: Snapshot, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The month's charges."""
    parameters = {**parameters, "form": 'YYYY-MM-DD"T"HH24:MI:SS"Z"'}
    for row in snapshot.stream(QUERY, MARTS, parameters):
        yield tuple(row[name] for name in COLUMNS)
