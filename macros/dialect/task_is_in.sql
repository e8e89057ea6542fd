{% macro task_is_in(keys) %}
    {#
        Whether a task is among the `generation_id`s of `keys`, asked so that the app's own key on `id`
        answers it: where that is a UUID, on the column `source_id` and not on its text.
    #}
    {{- return(adapter.dispatch('task_is_in', 'paygen')(keys)) -}}
{% endmacro %}

{% macro default__task_is_in(keys) -%}
    task_id in (select keys.generation_id from {{ keys }} as keys)
{%- endmacro %}

{% macro postgres__task_is_in(keys) -%}
    {#- Postgres does not join into a view that has a `with`, but it takes an array there. -#}
    {%- if has_unique_key('enhancement_tasks', 'id') -%}
        source_id = any(array(
            select
                case
                    when {{ is_uuid('keys.generation_id') }} then cast(keys.generation_id as uuid)
                end
            from {{ keys }} as keys
        ))
    {%- else -%}
        {{ default__task_is_in(keys) }}
    {%- endif -%}
{%- endmacro %}
