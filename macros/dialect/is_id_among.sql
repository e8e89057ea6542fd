{% macro is_id_among(id, query) -%}
    {#- Condition: whether an id is among those that a query answers; as `is_among`, by hashes first. -#}
    {{- return(adapter.dispatch('is_id_among', 'paygen')(id, query)) -}}
{%- endmacro %}

{% macro default__is_id_among(id, query) -%}
    {{ id }} in ({{ query }})
{%- endmacro %}

{% macro postgres__is_id_among(id, query) -%}
    {{ is_among(
        'hashtextextended(' ~ id ~ ', 0)',
        'select hashtextextended(ids.id, 0) from (' ~ query ~ ') as ids (id)'
    ) }}
    and {{ id }} in ({{ query }})
{%- endmacro %}
