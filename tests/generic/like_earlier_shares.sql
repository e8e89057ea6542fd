{% test like_earlier_shares(
    model, of, tolerances, by=[], parts=[], days=7, earlier_days=28, least_expected=200
) %}
    {#-
        Fails for each value of a column, and each part of the whole, whose share in the last whole days is
        not like its share in the days before.
    -#}
    {%- set kinds = [('all', "'all'", of)] %}
    {%- for column in by %}{% do kinds.append((column, column, of)) %}{% endfor %}
    {%- for part in parts %}{% do kinds.append((of, "'" ~ part ~ "'", part)) %}{% endfor %}
    with sums as (
        {%- for kind, value, measure in kinds %}
        {{ 'union all' if not loop.first }}
        select
            {{ as_text("'" ~ kind ~ "'") }} as kind,
            {{ as_text(value) }} as value,
            sum(case when usage_date >= {{ days_before_as_of(days) }} then {{ measure }} else 0 end)
                as found,
            sum(case when usage_date < {{ days_before_as_of(days) }} then {{ measure }} else 0 end)
                as earlier
        from {{ model }}
        where
            usage_date >= {{ days_before_as_of(days + earlier_days) }}
            and usage_date < {{ days_before_as_of(0) }}
        group by 1, 2
        {%- endfor %}

    ),

    shares as (

        select
            sums.kind,
            sums.value,
            {{ safe_divide('sums.found', 'totals.found') }} as found,
            {{ safe_divide('sums.earlier', 'totals.earlier') }} as expected,
            {{ tolerance_of_day(days_before_as_of(1), tolerances, 'points') }} as points
        from sums
        inner join sums as totals on totals.kind = 'all'
        where totals.found >= {{ least_expected }} and totals.earlier >= {{ least_expected }}

    )

    select
        kind,
        value,
        found,
        expected,
        points
    from shares
    where points is null or abs(found - expected) > points
{% endtest %}
