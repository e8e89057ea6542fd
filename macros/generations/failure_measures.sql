{% macro failure_measures() -%}
    sum(case when status = 'failed' and is_refunded then 1 else 0 end) as refunded_failures,
    sum(
        case when status = 'failed' and credits_used > 0 and not is_refunded then 1 else 0 end
    ) as unrefunded_failures
{%- endmacro %}
