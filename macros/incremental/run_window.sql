{% macro run_window() %}
    {#
        Which rows this run reads. None means all: a full run. Else a dict: `ranges`, pairs of SQL
        timestamps, and rows created in one of them are read again (no ranges if nothing changed: a
        no-op run); `lookback` and `repairs`, the ranges by their reason; `start`, where the
        look-back begins; `earliest`, where the first range begins; and `same_before`, if tasks that
        have not ended and were created before it are unchanged.
    #}
    {% if not execute or is_built_anew() %}{{ return(none) }}{% endif %}
    {% set found = found_inputs() %}
    {% if found.are_as_before %}
        {{ return({
            'start': end_of_time(), 'earliest': end_of_time(),
            'ranges': [], 'lookback': [], 'repairs': [],
        }) }}
    {% endif %}
    {% set window = source_window() %}
    {% if window and found.same_before %}
        {% do window.update({'same_before': timestamp_literal(found.same_before)}) %}
    {% endif %}
    {{ return(window) }}
{% endmacro %}

{% macro nothing_changed() %}
    {# Whether this is a no-op run: it found the same inputs as the last complete run. #}
    {{ return(found_inputs().are_as_before or false) }}
{% endmacro %}

{% macro reads_changes_only() %}
    {#
        Whether this is a delta run: `int_rows_seen` tells which rows of the window changed. It can
        if the run before was complete and its window began no later, and this run builds all
        models.
    #}
    {{ return(builds_all_models() and found_inputs().can_be_compared or false) }}
{% endmacro %}

{% macro found_inputs() %}
    {# What `int_run_manifest` says of this run; an empty dict before it is built. #}
    {% if not execute %}{{ return({}) }}{% endif %}
    {% set found = run_memory('inputs') %}
    {% set manifest = built_relation('int_run_manifest') if not found %}
    {% if manifest %}
        {% for row in run_query(
            'select inputs = prior_inputs and not has_repairs, prior_inputs is not null, same_before'
            ~ ' from ' ~ manifest ~ " where invocation_id = '" ~ invocation_id ~ "'"
        ).rows %}
            {% do found.update({
                'are_as_before': row[0], 'can_be_compared': row[1], 'same_before': row[2]
            }) %}
        {% endfor %}
    {% endif %}
    {{ return(found) }}
{% endmacro %}

{% macro source_window() %}
    {#
        `run_window` before it is known whether anything changed in it: the look-back and the ranges
        of queued repairs. None in a full run.
    #}
    {% set lookback = lookback_window() %}
    {% if not lookback %}{{ return(none) }}{% endif %}
    {% set window = run_memory('window') %}
    {% if not window %}
        {% set ranges, repairs = [lookback.range], repair_ranges() %}
        {% do window.update({
            'is_asked_for': lookback.is_asked_for,
            'start': lookback.range[0],
            'earliest': 'least(' ~ (ranges + repairs) | map('first') | join(', ') ~ ')' if repairs
                else lookback.range[0],
            'ranges': ranges + repairs,
            'lookback': ranges,
            'repairs': repairs,
        }) %}
    {% endif %}
    {{ return(window) }}
{% endmacro %}

{% macro lookback_window() %}
    {#
        The range of time that this run reads again, as a dict. None in a full run: without facts,
        or with `--full-refresh`. Decided once per run.

        An explicit range (`--event-time-start` and `--event-time-end`, or the variables of the same
        names) takes precedence. Otherwise the range starts `lookback_days` before the newest
        generation or `as_of`, whichever is earlier, and no later than that of a run that was cut
        off.
    #}
    {% if not execute or is_built_anew() %}{{ return(none) }}{% endif %}
    {% set known = run_memory('look-back') %}
    {% if 'range' not in known %}
        {% set facts = built_relation('fct_generations') %}
        {% if not facts %}{{ return(none) }}{% endif %}
        {% set first_moment = 'least(newest.created_at, ' ~ as_of() ~ ') - '
            ~ interval(var('lookback_days'), 'day') %}
        {# From the start of a day, so that the next run's rows can be compared with this one's. #}
        {% set lookback_start = run_query(
            'select least(' ~ dbt.date_trunc('day', first_moment) ~ ', ' ~ start_of_cut_off_run() ~ ')'
            ~ ' from (select max(created_at) as created_at from ' ~ facts ~ ') as newest'
            ~ ' where newest.created_at is not null'
        ) %}
        {% if not lookback_start %}{{ return(none) }}{% endif %}
        {% set start = var('event_time_start') or command_line_time('event_time_start') %}
        {% set end = var('event_time_end') or command_line_time('event_time_end') if start else none %}
        {% do known.update({
            'is_asked_for': start | as_bool,
            'range': (
                timestamp_literal(start or lookback_start.columns[0].values()[0]),
                timestamp_literal(end) if end else end_of_time(),
            ),
        }) %}
    {% endif %}
    {{ return(known) }}
{% endmacro %}

{% macro start_of_cut_off_run() %}
    {#
        Where the window of the run before began, as SQL, if that run was cut off or left models
        out: some tables may lack what it found. Null otherwise.
    #}
    {% set manifest = built_relation('int_run_manifest') %}
    {% if not manifest %}{{ return('cast(null as ' ~ type_timestamptz() ~ ')') }}{% endif %}
    {{ return(
        '(select min(window_start) from ' ~ manifest ~ ' where completed_at is null'
        ~ ' and (inputs is distinct from prior_inputs or has_repairs))'
    ) }}
{% endmacro %}

{% macro command_line_time(option) %}
    {# The time that was given as `--event-time-start` or `--event-time-end`, in UTC; none without. #}
    {% set time = invocation_args_dict.get(option) %}
    {{ return(time ~ '+00:00' if time else none) }}
{% endmacro %}

{% macro not_ended_before(window) -%}
    {#-
        The open generations older than the window. A run reads them too, except those that were
        created before `same_before`, whose tasks are unchanged.
    -#}
    (
        select generation_id from {{ built_relation('fct_generations') }}
        where {{ has_not_ended() }} and created_at < {{ window.start }}
        {%- if window.same_before %} and created_at >= {{ window.same_before }}{% endif %}
    )
{%- endmacro %}

{% macro is_in_window(column, window, margin=none) -%}
    {#-
        Condition: a timestamp lies in one of the window's ranges, or at most `margin` before one.
    -#}
    (
        {{- 'false' if not window.ranges -}}
        {%- for start, end in window.ranges %}
        {{ 'or ' if not loop.first }}{{ column }} between {{ start }}{{ ' - ' ~ margin if margin }} and {{ end }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro is_in_lookback(column, window, margin=none) -%}
    {#- `is_in_window` without the ranges of queued repairs. -#}
    {{- is_in_window(column, {'ranges': window.lookback}, margin) -}}
{%- endmacro %}

{% macro shadow_margin() -%}
    {#-
        How long before the window ledger rows are read: a row in the window may decide whether a
        charge so long before it is a shadow.
    -#}
    {{ interval(var('shadow_charge_window_seconds'), 'second') }}
{%- endmacro %}

{% macro built_relation(model_name) %}
    {#
        The table that an earlier run left of a model, also of one downstream; none where there is none,
        and while the project is parsed.
    #}
    {% set node = node_named('model', model_name) if execute %}
    {% if not node %}{{ return(none) }}{% endif %}
    {{ return(load_relation(api.Relation.create(node.database, node.schema, node.alias))) }}
{% endmacro %}
