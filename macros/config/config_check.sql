{% macro config_check() %}
    {# Compare every variable with what it may be, and name all that are off at once. #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_trial() %}
    {% set problems = [] %}
    {% set say = problems.append %}

    {% for name in unknown_variables() %}
        {% do exceptions.warn(
            "'" ~ name ~ "' is no variable of paygen, so it changes nothing: docs/variables.md lists"
            ~ " them all"
        ) %}
    {% endfor %}

    {% set choices = {
        'vendor_cost_basis': ['ledger', 'task', 'list', 'statement'],
        'failed_generations_are_billed': [true, false],
    } %}
    {% for name, allowed in choices.items() if var(name) not in allowed %}
        {% do say(name ~ " is '" ~ var(name) ~ "': it must be one of " ~ allowed | join(', ') | lower) %}
    {% endfor %}

    {% for name in ['closed_roles', 'reader_roles'] if not is_list_of_names(var(name)) %}
        {% do say(name ~ " is '" ~ var(name) ~ "': it must be a list of role names, such as"
                  ~ " [metabase]; one with other characters than letters, digits and _ in quotes") %}
    {% endfor %}
    {% if is_list_of_names(var('reader_roles')) and is_list_of_names(var('closed_roles')) %}
        {% for role in var('reader_roles') if role in var('closed_roles') or role == 'public' %}
            {% do say("reader_roles names '" ~ role ~ "', to which the marts are closed: name a role of"
                      ~ " its own") %}
        {% endfor %}
        {% do problems.extend(find_reader_problems()) if var('reader_roles') %}
    {% endif %}

    {% set ranges = {
        'credit_price_usd': [0, 1000000],
        'cost_tolerance_usd': [0, 1000000],
        'implausible_cost_usd': [0, 1000000000],
        'alert_failure_rise': [0, 1],
        'alert_budget_share': [0, 1],
        'alert_drift_credits': [0, 1000000000000000],
    } %}
    {% for name, (least, most) in ranges.items() if not is_number_within(var(name), least, most) %}
        {% do say(name ~ " is '" ~ var(name) ~ "': it must be a number of at least " ~ least
                  ~ " and at most " ~ most) %}
    {% endfor %}

    {% set budget = var('monthly_budget_usd') %}
    {% if budget is not none
        and not (is_number_within(budget, 0, 1000000000000) and budget > 0) %}
        {% do say("monthly_budget_usd is '" ~ budget ~ "': it must be a number above 0 and at most"
                  ~ " 1000000000000, or null") %}
    {% endif %}

    {% set breakage = var('credit_breakage_months') %}
    {% if breakage is not none
        and (breakage is boolean or breakage is not integer or not 1 <= breakage <= 1200) %}
        {% do say("credit_breakage_months is '" ~ breakage ~ "': it must be a whole number from 1 to 1200,"
                  ~ " or null") %}
    {% endif %}

    {% set days = var('close_after_days') %}
    {% if days is not none and not (days is integer and is_number_within(days, 0, 36500)) %}
        {% do say("close_after_days is '" ~ days ~ "': it must be a whole number of at least 0 and at most"
                  ~ " 36500, or null") %}
    {% endif %}

    {# No more than what a timestamp can be moved by: ten years, and a century of days. #}
    {% set counts = {
        'shadow_charge_window_seconds': 315360000,
        'refund_window_hours': 87600,
        'stuck_after_minutes': 5256000,
        'statement_settle_hours': 87600,
        'lookback_days': 36500,
        'history_gap_days': 36500,
        'run_lock_wait_seconds': 86400,
        'run_history_days': 36500,
        'alert_stale_after_minutes': 5256000,
        'alert_nightly_after_hours': 87600,
        'alert_silent_after_hours': 87600,
        'alert_failed_runs': 1000000,
        'alert_failure_min_ended': 1000000000,
        'alert_unmapped_values': 1000000,
        'alert_new_findings': 1000000000,
        'alert_new_days': 36500,
    } %}
    {# An alert at 0 would never end. #}
    {% for name, most in counts.items() %}
        {% set least = 1 if name.startswith('alert_') else 0 %}
        {% if var(name) is not integer or not is_number_within(var(name), least, most) %}
            {% do say(name ~ " is '" ~ var(name) ~ "': it must be a whole number of at least " ~ least
                      ~ " and at most " ~ most) %}
        {% endif %}
    {% endfor %}

    {% set tables = ['credit_transactions_table', 'enhancement_tasks_table', 'user_credits_table',
                     'system_alerts_table', 'vendor_billing_table'] %}
    {% for name in ['app_schema'] + tables %}
        {% if not var(name) %}
            {% do say(name ~ " is empty: it must be the name the app uses") %}
        {% elif '"' in var(name) | string %}
            {% do say(name ~ " is '" ~ var(name) ~ "': write the name itself, without double quotes") %}
        {% endif %}
    {% endfor %}
    {% for name in tables if var(name) %}
        {% for other in tables[:loop.index0] if var(other) == var(name) %}
            {% do say(name ~ " and " ~ other ~ " are both '" ~ var(name) ~ "': each is a table of its own") %}
        {% endfor %}
    {% endfor %}

    {% set times = [] %}
    {% for name in ['as_of', 'event_time_start', 'event_time_end'] if var(name) is not none %}
        {% if is_iso_timestamp(var(name) | string) %}
            {% do times.append(name) %}
        {% else %}
            {% do say(name ~ " is '" ~ var(name) ~ "': it must be an ISO timestamp with a zone, such as"
                      ~ " 2024-12-04T00:00:00Z, of a day that exists from 1970 on") %}
        {% endif %}
    {% endfor %}
    {% if var('event_time_end') and not var('event_time_start') %}
        {% do say("event_time_end is set without event_time_start, where the range begins") %}
    {% elif 'event_time_start' in times and 'event_time_end' in times and run_query(
        'select ' ~ timestamp_literal(var('event_time_end')) ~ ' <= '
        ~ timestamp_literal(var('event_time_start'))
    ).columns[0].values()[0] %}
        {% do say("event_time_end is '" ~ var('event_time_end') ~ "': it must be later than"
                  ~ " event_time_start, '" ~ var('event_time_start') ~ "'") %}
    {% endif %}

    {% if var('reporting_timezone') != 'UTC'
        and not is_known_timezone(var('reporting_timezone') | string) %}
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

{% macro check_trial() %}
    {#
        Stop a trial (`--empty`, `--sample`) that would be built into other schemas than its own, and
        any other run that would be built into those.
    #}
    {% set option = '--empty' if flags.EMPTY else '--sample' if invocation_args_dict.get('sample') %}
    {% set schema = node_named('model', 'fct_generations').schema %}
    {% if option and not schema.endswith('_trial') %}
        {% do exceptions.raise_compiler_error(
            option ~ " is refused, since it would replace the rows in schema " ~ schema ~ ", and later runs"
            ~ " would take its rows for the app's history: nothing was built; run `dbt build " ~ option
            ~ "` where the Python package `paygen` is installed, and let a `generate_schema_name` of your"
            ~ " own call `paygen.generate_schema_name`"
        ) %}
    {% elif not option and schema == own_schema() ~ '_trial' %}
        {% do exceptions.raise_compiler_error(
            "the project was parsed for a trial (--empty, --sample) and would be built into schema "
            ~ schema ~ ": nothing was built; run again with --no-partial-parse"
        ) %}
    {% endif %}
{% endmacro %}

{% macro unknown_variables() %}
    {#
        Names that are set in dbt_project.yml or by `--vars` and that no macro asks for: a misspelt
        name would change nothing, without a word.
    #}
    {% set known = [
        'alert_budget_share', 'alert_drift_credits', 'alert_failed_runs', 'alert_failure_min_ended',
        'alert_failure_rise', 'alert_new_days', 'alert_new_findings', 'alert_nightly_after_hours',
        'alert_silent_after_hours', 'alert_stale_after_minutes', 'alert_unmapped_values',
        'app_schema', 'as_of', 'cleanup', 'close_after_days', 'closed_roles', 'cost_tolerance_usd',
        'credit_breakage_months', 'credit_price_usd',
        'credit_transactions_table', 'enhancement_tasks_table', 'event_time_end', 'event_time_start',
        'failed_generations_are_billed', 'implausible_cost_usd', 'lookback_days',
        'monthly_budget_usd', 'reader_roles', 'refund_window_hours', 'reporting_timezone',
        'history_gap_days', 'run_history_days', 'run_lock_wait_seconds', 'shadow_charge_window_seconds',
        'statement_settle_hours', 'stuck_after_minutes', 'system_alerts_table', 'user_credits_table',
        'vendor_billing_table', 'vendor_cost_basis',
    ] %}
    {#- Where another project has installed this one, names of its own stand beside ours. -#}
    {% set given = [] %}
    {% if project_name == 'paygen' %}
        {% do given.extend(invocation_args_dict.get('vars', {})) %}
    {% endif %}
    {% for project in var.packages_for_node() %}
        {% set set_there = project.vars.to_dict() %}
        {% if project.project_name == 'paygen' %}
            {% do given.extend(set_there | reject('equalto', 'paygen')) %}
        {% endif %}
        {% do given.extend(set_there.get('paygen') or {}) %}
    {% endfor %}
    {{ return(given | unique | reject('in', known) | list) }}
{% endmacro %}

{% macro is_list_of_names(value) %}
    {# Whether a variable is a list of texts, none of them empty. #}
    {{ return(
        value is sequence and value is not string and value is not mapping
        and not (value | reject('string') | list) and '' not in value
    ) }}
{% endmacro %}

{% macro is_number_within(value, least, most) %}
    {# Whether a variable is a number, neither a boolean nor NaN, in a range that holds both ends. #}
    {{ return(value is number and value is not boolean and least <= value and value <= most) }}
{% endmacro %}

{% macro is_iso_timestamp(text) %}
    {# Whether a text is an ISO timestamp with a zone, of a moment that exists, from 1970 to 2999. #}
    {% set iso = '(19[7-9]\\d|2\\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])'
        ~ '[T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,9})?)?(Z|[+-](0\\d|1[0-4])(:?[0-5]\\d)?)' %}
    {{ return(modules.re.fullmatch(iso, text) is not none and is_iso_day(text[:10])) }}
{% endmacro %}

{% macro is_iso_day(text) %}
    {# Whether a text is a day that exists, as 2025-05-31. #}
    {% if not modules.re.fullmatch('(?!0000)\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])', text) %}
        {{ return(false) }}
    {% endif %}
    {# The calendar is the same every 400 years, and dates end with the year 9999. #}
    {% set year, month, day = 2000 + (text[:4] | int) % 400, text[5:7] | int, text[8:10] | int %}
    {% set date = modules.datetime.date %}
    {% set next_month = date(year + month // 12, month % 12 + 1, 1) %}
    {{ return(day <= (next_month - date(year, month, 1)).days) }}
{% endmacro %}
