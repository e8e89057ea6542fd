{% macro check_request_ids() %}
    {#
        Stop before `fct_generations` is written where the ledger's request ids are not the tasks' ids:
        each call would count twice, as a task and as a charge without one.

        That is so in a month, or a day with enough charges, in which most charges name a request,
        hardly any of those requests is a task's, and about as many tasks have no charge. A
        scheduled run checks all rows of its window, since a few changed ones prove little.
    #}
    {% if not execute or flags.WHICH not in ['build', 'run'] %}{{ return('') }}{% endif %}
    {% set window = run_window() %}
    {% if window and not window.ranges %}{{ return('') }}{% endif %}
    {% set facts = built_relation('fct_generations') if window %}
    {% set broken = run_query(broken_periods_sql(facts, window)) %}
    {% for kind, first_date, named, found, without_charge in broken.rows %}
        {{ exceptions.raise_compiler_error(
            'the request ids of the ledger are not the ids of the tasks, and no generation was written:'
            ~ ' ' ~ kind ~ ' ' ~ first_date ~ ', ' ~ found ~ ' of ' ~ named ~ ' charges with an api_request_id'
            ~ ' find their task, while ' ~ without_charge ~ ' tasks have no charge, so that calls would'
            ~ ' count twice. If column api_request_id of table ' ~ source_relation('credit_transactions')
            ~ ' holds another id of the task, such as the vendor\'s, serve the ledger through a view that'
            ~ ' puts the id of ' ~ source_relation('enhancement_tasks') ~ ' there (docs/operations.md).'
        ) }}
    {% endfor %}
{% endmacro %}

{% macro broken_periods_sql(facts, window) %}
    with generations as (

        select generation_id, created_at, record_source, charge_count
        from {{ ref('int_generations_touched') }}
        {%- if facts %}

        union all

        select generation_id, created_at, record_source, charge_count
        from {{ facts }} as known
        where
            {{ is_in_window('created_at', window) }}
            and not exists (
                -- By its key: a task that is gone from the app is not among the generations.
                select 1 from {{ built_relation('int_keys_touched') }} as touched
                where touched.generation_id = known.generation_id
            )
        {%- endif %}

    ),

    outcomes as (

        select
            generation_id,
            {{ reporting_date('created_at') }} as created_date,
            case when record_source = 'task' and charge_count > 0 then 1 else 0 end as is_found,
            case when record_source = 'task' and charge_count = 0 then 1 else 0 end
                as is_without_charge,
            case when record_source = 'charge' then 1 else 0 end as is_charge
        from generations

    ),

    periods as (

        select
            created_date as first_date,
            'on' as kind,
            20 as least,
            sum(is_found) as found,
            sum(is_without_charge) as without_charge,
            sum(is_charge) as not_found
        from outcomes
        group by 1

        union all

        select
            {{ month_of('created_date') }} as first_date,
            'in the month from' as kind,
            3 as least,
            sum(is_found) as found,
            sum(is_without_charge) as without_charge,
            sum(is_charge) as not_found
        from outcomes
        group by 1

    ),

    suspect as (

        select * from periods
        where
            not_found >= least
            and found < 0.1 * (found + not_found)
            and without_charge >= 0.5 * not_found

    ),

    -- Read only where something is suspect: which charges name a request at all.
    named as (

        select
            suspect.kind,
            suspect.first_date,
            count(distinct outcomes.generation_id) as not_found
        from suspect
        inner join outcomes
            on
                outcomes.is_charge = 1
                and suspect.first_date = case
                    when suspect.kind = 'on' then outcomes.created_date
                    else {{ month_of('outcomes.created_date') }}
                end
        inner join {{ built_relation('int_ledger_synced') }} as charges
            on outcomes.generation_id = charges.generation_id
        where not charges.is_refund and charges.api_request_id is not null
        group by 1, 2

    )

    select
        suspect.kind,
        suspect.first_date,
        suspect.found + named.not_found as named_charges,
        suspect.found,
        suspect.without_charge
    from suspect
    inner join named on suspect.kind = named.kind and suspect.first_date = named.first_date
    where
        named.not_found >= suspect.least
        and suspect.found < 0.1 * (suspect.found + named.not_found)
        and suspect.without_charge >= 0.5 * named.not_found
        and named.not_found >= 0.5 * suspect.not_found
    order by suspect.first_date desc
    limit 1
{% endmacro %}
