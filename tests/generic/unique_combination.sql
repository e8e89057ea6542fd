{% test unique_combination(model, columns) %}
    {#- Fails for each combination of values, nulls included, that stands in more than one row. -#}
    select
        {{ columns | join(', ') }},
        count(*) as copies
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
