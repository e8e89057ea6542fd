{% macro generation_of_charge(transaction_id='transaction_id') -%}
    {#-
        The id of the generation that a charge without a request is: the charge's own. Where a task
        or a request may have the same number, the id says that it is a charge's.
    -#}
    {{- "'charge-' || " if numbers_are_shared() -}}{{- transaction_id -}}
{%- endmacro %}

{% macro numbers_are_shared() %}
    {# Whether the app numbers its charges, and its tasks or requests too. #}
    {% set ledger = source_columns('credit_transactions').get('integers', []) %}
    {% set tasks = source_columns('enhancement_tasks').get('integers', []) %}
    {{ return('id' in ledger and ('id' in tasks or 'api_request_id' in ledger)) }}
{% endmacro %}
