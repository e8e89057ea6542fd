{% test like_same_weekday(model, of, tolerances, weeks=4, least_expected=50, days=7) %}
    {#-
        Fails for each of the last whole days, and sum of it, that is not like the same weekday of the
        weeks before: the middle of theirs, so that one odd week does not count.
    -#}
    with sums as (

        select
            {%- for measure in of %}
            sum({{ measure }}) as {{ measure }},
            {%- endfor %}
            usage_date
        from {{ model }}
        where usage_date >= {{ days_before_as_of(days + 7 * weeks) }}
        group by usage_date

    ),

    compared as (
        {%- for day in range(1, days + 1) %}
        {%- set is_first_day = loop.first %}
        {%- for week in range(1, weeks + 1) %}
        {{ 'union all' if not (is_first_day and loop.first) }}
        select
            {{ days_before_as_of(day) }} as usage_date,
            {{ days_before_as_of(day + 7 * week) }} as earlier_date
        {%- endfor %}
        {%- endfor %}

    ),

    -- A day without a row counts as 0, from the first day of history on.
    expected as (
        {%- for measure in of %}
        {{ 'union all' if not loop.first }}
        select
            compared.usage_date,
            {{ as_text("'" ~ measure ~ "'") }} as measure,
            coalesce(max(sums.{{ measure }}), 0) as found,
            cast({{ percentile(0.5, 'coalesce(earlier.' ~ measure ~ ', 0)') }} as numeric(18, 6))
                as expected
        from compared
        left join sums on compared.usage_date = sums.usage_date
        left join sums as earlier on compared.earlier_date = earlier.usage_date
        group by compared.usage_date
        having min(compared.earlier_date) >= (select min(usage_date) from {{ model }})
        {%- endfor %}

    ),

    tolerated as (

        select
            *,
            {{ tolerance_of_day('usage_date', tolerances, 'least') }} as least,
            {{ tolerance_of_day('usage_date', tolerances, 'most') }} as most
        from expected
        where expected >= {{ least_expected }}

    )

    select
        usage_date,
        measure,
        found,
        expected,
        least,
        most
    from tolerated
    where least is null or found < least * expected or found > most * expected
{% endtest %}
