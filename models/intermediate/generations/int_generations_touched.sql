{{ config(meta={'skip_when_unchanged': true}) }}
-- depends_on: {{ ref('int_repair_queue') }}
{%- set keys = ref('int_keys_touched') %}
{{ assemble_generations(keys if run_window() else none) }}
{%- if not run_window() %}
-- In the order of time the facts are written, so that what a run looks at later lies together.
order by created_at
{%- endif %}
