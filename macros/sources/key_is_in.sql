{% macro key_is_in(cleaned_id, keys, table) %}
    {#
        Whether `cleaned_id` is among the `generation_id`s of `keys`, asked so that the app's own key on
        `id` answers it: where that is a UUID, on the column `source_id` and not on its text.
    #}
    {{- return(adapter.dispatch('key_is_in')(cleaned_id, keys, table)) -}}
{% endmacro %}

{% macro default__key_is_in(cleaned_id, keys, table) -%}
    {{ cleaned_id }} in (select keys.generation_id from {{ keys }} as keys)
{%- endmacro %}

{% macro postgres__key_is_in(cleaned_id, keys, table) -%}
    {%- if has_unique_key(table, 'id') -%}
        source_id in (
            select
                case
                    when keys.generation_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                        then cast(keys.generation_id as uuid)
                end
            from {{ keys }} as keys
        )
    {%- else -%}
        {{ default__key_is_in(cleaned_id, keys, table) }}
    {%- endif -%}
{%- endmacro %}
