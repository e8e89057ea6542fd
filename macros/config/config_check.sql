{% macro config_check() %}
    {# Compare every variable with what it may be, and name all that are off at once. #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set problems = [] %}
    {% set say = problems.append %}

    {% set choices = {
        'vendor_cost_basis': ['ledger', 'task', 'list'],
        'failed_generations_are_billed': [true, false],
    } %}
    {% for name, allowed in choices.items() if var(name) not in allowed %}
        {% do say(name ~ " is '" ~ var(name) ~ "': it must be one of " ~ allowed | join(', ') | lower) %}
    {% endfor %}

    {% for name in ['closed_roles', 'reader_roles'] %}
        {% set roles = var(name) %}
        {% if roles is string or roles is not sequence
            or roles | reject('string') | list
            or not modules.re.fullmatch('[\\w-]*', roles | join) %}
            {% do say(name ~ " is '" ~ roles ~ "': it must be a list of role names made of letters,"
                      ~ " digits, _ and -") %}
        {% endif %}
    {% endfor %}
    {% for role in var('reader_roles') if role in var('closed_roles') or role == 'public' %}
        {% do say("reader_roles names '" ~ role ~ "', to which the marts are closed") %}
    {% endfor %}

    {% set least = {
        'credit_price_usd': 0,
        'cost_tolerance_usd': 0,
        'implausible_cost_usd': 0,
    } %}
    {% for name, minimum in least.items() %}
        {% if var(name) is not number or var(name) is boolean or var(name) < minimum %}
            {% do say(name ~ " is '" ~ var(name) ~ "': it must be a number of at least " ~ minimum) %}
        {% endif %}
    {% endfor %}

    {% set budget = var('monthly_budget_usd') %}
    {% if budget is not none and (budget is not number or budget is boolean or budget <= 0) %}
        {% do say("monthly_budget_usd is '" ~ budget ~ "': it must be a number above 0, or null") %}
    {% endif %}

    {% for name in ['shadow_charge_window_seconds', 'refund_window_hours', 'stuck_after_minutes',
                    'lookback_days', 'history_gap_days', 'run_lock_wait_seconds'] %}
        {% if var(name) is not integer or var(name) is boolean or var(name) < 0 %}
            {% do say(name ~ " is '" ~ var(name) ~ "': it must be a whole number of at least 0") %}
        {% endif %}
    {% endfor %}

    {% for name in ['app_schema', 'credit_transactions_table', 'enhancement_tasks_table',
                    'user_credits_table', 'system_alerts_table'] if not var(name) %}
        {% do say(name ~ " is empty: it must be the name the app uses") %}
    {% endfor %}

    {% set iso = '\\d{4}-(0\\d|1[0-2])-[0-3]\\d[T ][0-2]\\d:[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?(Z|[+-]\\d\\d(:?\\d\\d)?)' %}
    {% for name in ['as_of', 'event_time_start', 'event_time_end']
        if var(name) and not modules.re.fullmatch(iso, var(name) | string) %}
        {% do say(name ~ " is '" ~ var(name) ~ "': it must be an ISO timestamp with a zone, such as"
                  ~ " 2024-12-04T00:00:00Z") %}
    {% endfor %}
    {% if var('event_time_end') and not var('event_time_start') %}
        {% do say("event_time_end is set without event_time_start, where the range begins") %}
    {% endif %}

    {% if var('reporting_timezone') != 'UTC'
        and not adapter.dispatch('is_known_timezone')(var('reporting_timezone') | string) %}
        {% do say("reporting_timezone is '" ~ var('reporting_timezone') ~ "': the server knows no such"
                  ~ " zone; use a name such as UTC or Europe/Berlin") %}
    {% endif %}

    {% if problems %}
        {{ exceptions.raise_compiler_error(
            "paygen's variables (docs/variables.md) make no sense, nothing was built:\n  - "
            ~ problems | join('\n  - ')
        ) }}
    {% endif %}
{% endmacro %}

{% macro default__is_known_timezone(name) %}
    {# Only names that stand for a place or UTC: an offset or an abbreviation has no daylight saving. #}
    {% set known = run_query(
        "select 1 from pg_timezone_names where name = '" ~ name | replace("'", "''") ~ "'"
    ) %}
    {{ return(known | length > 0) }}
{% endmacro %}
