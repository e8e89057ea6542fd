{% macro tolerance_of_day(day, tolerances, name) -%}
    {#-
        One bound of the tolerance that holds on a day, which is the first whose `until` is not over; null
        where none does.
    -#}
    case
        {%- for tolerance in tolerances %}
        when {{ day }} <= date '{{ tolerance.until or '9999-12-31' }}' then {{ tolerance[name] }}
        {%- endfor %}
    end
{%- endmacro %}
