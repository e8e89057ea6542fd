{% macro rate(outcome, prefix='') -%}
    {{ safe_divide(
        prefix ~ outcome ~ '_generations',
        '(' ~ prefix ~ 'completed_generations + ' ~ prefix ~ 'failed_generations)',
    ) }}
{%- endmacro %}
