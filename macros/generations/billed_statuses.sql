{% macro billed_statuses() -%}
    {{ "('completed', 'failed')" if var('failed_generations_are_billed') else "('completed')" }}
{%- endmacro %}
