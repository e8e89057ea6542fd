{% macro facts_of_keys(keys, window, are_known=false) -%}
    {#-
        The facts of the generations in `keys`: those in the window by time, the others by id. With
        `are_known`, `keys` has the `created_at` of the facts, and only the ids of older ones are
        looked up.
    -#}
    {%- set facts = built_relation('fct_generations') -%}
    select * from {{ facts }}
    where
        {{ is_in_window('created_at', window) }}
        and generation_id in (select keys.generation_id from {{ keys }} as keys)

    union all

    select * from {{ facts }}
    where generation_id in (
        select keys.generation_id from {{ keys }} as keys
        where
            {%- if are_known %}
            not {{ is_in_window('keys.created_at', window) }}
            {%- else %}
            keys.generation_id not in (
                select in_window.generation_id from {{ facts }} as in_window
                where {{ is_in_window('in_window.created_at', window) }}
            )
            {%- endif %}
    )
{%- endmacro %}

{% macro tasks_of_keys(keys, known, window) -%}
    {#-
        The tasks of the generations in `keys`. Ids are random, so each look-up by id reads another
        page of an index as large as history. So tasks in the window are found by time, and by id
        only those that the facts know to be older. If a task may have copies, the one that counts
        may have another time than the facts have, and all are found by id.
    -#}
    {%- set in_window = is_in_window('created_at', window) -%}
    {%- if not has_unique_key('enhancement_tasks', 'id') -%}
    select * from {{ ref('int_tasks_cleaned') }}
    where {{ task_is_in(keys) }}
    {%- else -%}
    select * from {{ ref('int_tasks_cleaned') }}
    where
        (created_at is null or {{ in_window }})
        and {{ is_id_among('task_id', 'select keys.generation_id from ' ~ keys ~ ' as keys') }}

    union all

    select * from {{ ref('int_tasks_cleaned') }}
    where
        not (created_at is null or {{ in_window }})
        and {{ task_is_in('(select generation_id from ' ~ known ~ ' where not ' ~ in_window ~ ')') }}
    {%- endif -%}
{%- endmacro %}

{% macro ledger_of_keys(keys, window) -%}
    {#-
        The ledger rows of the generations in `keys`: those in the window by time, older charges by
        what the facts know of them: the times of the first and the last, and how many there are.
    -#}
    {#- In a repair a row may be found both ways, hence `union` without `all`. -#}
    {%- set is_older = 'not ' ~ is_in_window('charges.created_at', window, shadow_margin()) -%}
    {%- set was_charged_outside = 'true' -%}
    {%- if window.ranges | length == 1 -%}
        {%- set was_charged_outside = 'not (' ~ is_in_window('known.first_charged_at', window)
            ~ ' and ' ~ is_in_window('known.last_charged_at', window) ~ ')' -%}
    {%- endif -%}
    select * from {{ ref('int_ledger_synced') }}
    where
        {{ is_in_window_or_repaired(window) }}
        and generation_id in (select keys.generation_id from {{ keys }} as keys)
    {%- for time in [
        '= known.first_charged_at',
        '= known.last_charged_at and known.first_charged_at < known.last_charged_at',
        'between known.first_charged_at and known.last_charged_at'
            ~ ' and charges.created_at not in (known.first_charged_at, known.last_charged_at)'
            ~ ' and known.charge_count > 2',
    ] %}

    union {{ 'all' if not window.repairs }}

    select charges.* from {{ keys }} as known
    inner join {{ ref('int_ledger_synced') }} as charges
        on known.generation_id = charges.generation_id and charges.created_at {{ time }}
    where {{ was_charged_outside }} and {{ is_older }}
    {%- endfor %}
{%- endmacro %}
