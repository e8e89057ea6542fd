-- Written last, so that it tells what all of the incremental tables were built under.
-- depends_on: {{ ref('fct_generations') }}
-- depends_on: {{ ref('int_days_changed') }}
-- depends_on: {{ ref('int_durations_by_month') }}
-- depends_on: {{ ref('int_usage_by_day') }}
-- depends_on: {{ ref('int_usage_by_month') }}

{% for name, value in history_settings().items() -%}
select
    cast('{{ name }}' as text) as setting,
    cast('{{ value }}' as text) as setting_value
union all
{% endfor -%}
select
    'inputs' as setting,
    max(inputs) as setting_value
from {{ ref('int_inputs') }}
where invocation_id = '{{ invocation_id }}'
