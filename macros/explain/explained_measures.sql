{% macro explained_measures(now=none) %}
    {#
        What can be counted, row by row: where its rows come from, which of them count, what each
        contributes, and the rule in one sentence. `figure_rows` is made of it, and so are the rows of a
        restatement.
    #}
    {% set of_generations = {
        'generations': {
            'contributes': '1',
            'rule': 'Each task is one generation, and so is each charge without a task; it counts once.',
        },
        'completed_generations': {
            'where': "status = 'completed'",
            'contributes': '1',
            'rule': 'A generation with the status completed counts once.',
        },
        'failed_generations': {
            'where': "status = 'failed'",
            'contributes': '1',
            'rule': 'A generation with the status failed counts once.',
        },
        'cancelled_generations': {
            'where': "status = 'cancelled'",
            'contributes': '1',
            'rule': 'A generation with the status cancelled counts once.',
        },
        'in_flight_generations': {
            'where': has_not_ended() ~ " and status in ('pending', 'processing')",
            'contributes': '1',
            'rule': 'A generation with the status pending or processing counts once.',
        },
        'stuck_generations': {
            'where': has_not_ended() ~ ' and ' ~ is_stuck(now),
            'contributes': '1',
            'rule': 'A pending or processing generation counts once when it is older than '
                ~ var('stuck_after_minutes') ~ ' minutes.',
        },
        'refunded_failures': {
            'where': "status = 'failed' and is_refunded",
            'contributes': '1',
            'rule': 'A failed generation with a refund counts once.',
        },
        'unrefunded_failures': {
            'where': "status = 'failed' and credits_used > 0 and not is_refunded",
            'contributes': '1',
            'rule': 'A failed generation that was charged and has no refund counts once.',
        },
        'generations_without_cost': {
            'where': 'vendor_cost_usd is null',
            'contributes': '1',
            'rule': 'A billed generation whose cost nobody knows counts once.',
        },
        'credits_used': {
            'where': 'credits_used <> 0',
            'contributes': 'credits_used',
            'rule': "A generation contributes the credits of its charges, each charge once.",
        },
        'vendor_cost_usd': {
            'where': 'vendor_cost_usd <> 0',
            'contributes': 'vendor_cost_usd',
            'rule': rule_of_costs(),
        },
        'list_cost_usd': {
            'where': 'list_cost_usd <> 0',
            'contributes': 'list_cost_usd',
            'rule': billed_generations() ~ ' contributes its price in the price list of its day.',
        },
        'active_users': {
            'where': 'user_id is not null',
            'contributes': '1',
            'is_by_user': true,
            'rule': 'Each user with a generation in the period counts once; deleted users do not count.',
        },
        'duration_seconds': {
            'where': 'duration_seconds is not null',
            'contributes': 'duration_seconds',
            'rule': 'Ended generations with a known duration, in the order of their durations.',
        },
    } %}
    {% set of_refunds = {
        'refunds_issued': {
            'contributes': '1',
            'rule': 'Each refund row of the ledger counts once, in the period in which it was written.',
        },
        'credits_refunded': {
            'where': 'credits <> 0',
            'contributes': 'credits',
            'rule': 'A refund contributes its credits, in the period in which it was written.',
        },
    } %}
    {% set of_first_months = {
        'new_users': {
            'contributes': '1',
            'rule': "A user counts once, in the month of the user's first generation ever.",
        },
    } %}
    {% set of_balances = {
        'users_with_credits': {
            'where': 'current_balance > 0',
            'contributes': '1',
            'rule': "A user counts once when the app's balance of the user is above 0.",
        },
        'total_credits_in_circulation': {
            'where': 'current_balance <> 0',
            'contributes': 'current_balance',
            'rule': "A user contributes the balance that the app keeps, negative ones included.",
        },
    } %}
    {% set found = {} %}
    {% for source, measures in {
        'generations': of_generations,
        'refunds': of_refunds,
        'first_months': of_first_months,
        'balances': of_balances,
    }.items() %}
        {% for name, measure in measures.items() %}
            {% do found.update({name: dict(measure, source=source)}) %}
        {% endfor %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro billed_generations() -%}
    {{ 'A completed or failed generation' if var('failed_generations_are_billed') else 'A completed generation' }}
{%- endmacro %}

{% macro rule_of_costs() -%}
    {%- if var('vendor_cost_basis') == 'statement' -%}
    {{ 'A generation contributes what the statement charges for it, else '
        ~ billed_generations() | lower ~ ' the first cost on its charges, else the cost on its task.' }}
    {%- else -%}
    {{ billed_generations() }} contributes {{ {
        'ledger': 'the first cost on its charges, else the cost on its task.',
        'task': 'the cost on its task.',
        'list': 'its price in the price list of its day.',
    }[var('vendor_cost_basis')] }}
    {%- endif -%}
{%- endmacro %}
