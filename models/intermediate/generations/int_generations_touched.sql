{{ config(meta={'skip_when_unchanged': true}) }}
-- depends_on: {{ ref('int_repair_queue') }}
-- depends_on: {{ ref('int_keys_touched') }}
{{ assemble_generations(none if reads_everything() else ref('int_keys_touched')) }}
{%- if reads_everything() %}
-- In the order of time the facts are written, so that what a run looks at later lies together.
order by created_at
{%- endif %}
