{% macro generation_of_charge(transaction_id='transaction_id') -%}
    {#-
        The id of the generation that a charge is which names no request: its own. Where the app numbers
        its charges, a task or a request may have the same number: there the id says whose it is.
    -#}
    {%- set ledger = source_columns('credit_transactions') -%}
    {%- set tasks = source_columns('enhancement_tasks') -%}
    {%- set is_number = 'id' in ledger.get('integers', []) -%}
    {%- set may_be_anothers = (
        'id' in tasks.get('integers', []) or 'api_request_id' in ledger.get('integers', [])
    ) -%}
    {{- "'charge-' || " if is_number and may_be_anothers -}}{{- transaction_id -}}
{%- endmacro %}
