{% macro add_mapped_values(seed) -%}
    {#-
        Put a mapping's rows into the table of a seed, in the transaction that loads it, so that whoever
        reads the seed reads them too; nothing for a seed of which the mapping says nothing.
    -#}
    {%- set form = mapped_seeds().get(seed.identifier) if execute -%}
    {%- if not form -%}{{ return('') }}{%- endif -%}
    {%- set rows = mapped_rows(seed.identifier) -%}
    {%- set statements = [] -%}
    {%- set stale = stale_rows(seed.identifier, form, rows) -%}
    {%- do statements.append('delete from ' ~ seed ~ ' where ' ~ stale) if stale -%}
    {%- for row in rows -%}
        {%- set literals = [] -%}
        {%- for value in row.values() -%}
            {%- do literals.append('null' if value is none else text_literals([value])) -%}
        {%- endfor -%}
        {%- do statements.append(
            'insert into ' ~ seed ~ ' (' ~ row | join(', ') ~ ') values (' ~ literals | join(', ') ~ ')'
        ) -%}
    {%- endfor -%}
    {#- A provider with a price or an alias is a known one. -#}
    {%- for provider in named_providers() if seed.identifier == 'providers' and not rows -%}
        {%- set literal = text_literals([provider]) -%}
        {%- do statements.append(
            'insert into ' ~ seed ~ ' (provider, provider_name, is_current) select ' ~ literal ~ ', '
            ~ literal ~ ', true where not exists (select 1 from ' ~ seed ~ ' where provider = ' ~ literal
            ~ ')'
        ) -%}
    {%- endfor -%}
    {%- if statements and not writes_in_place() -%}
        {{- exceptions.raise_compiler_error(
            mapping_file() ~ ' gives rows of ' ~ seed.identifier ~ ', which are not written on ' ~ target.type
            ~ ': write them into seeds/' ~ seed.identifier ~ '.csv'
        ) -}}
    {%- endif -%}
    {{- return(statements | join(';\n')) -}}
{%- endmacro %}

{% macro stale_rows(seed, form, rows) %}
    {# Which of a seed's own rows a mapping's rows take the place of, as a condition; nothing for none. #}
    {% set conditions = [] %}
    {% if form.is_list and rows %}{{ return('true') }}{% endif %}
    {% for row in rows %}
        {% set same = [] %}
        {% for column in form.key %}
            {% do same.append(
                column ~ ' is null' if row[column] is none else column ~ ' = ' ~ text_literals([row[column]])
            ) %}
        {% endfor %}
        {% do conditions.append('(' ~ same | join(' and ') ~ ')') %}
    {% endfor %}
    {# Of providers that the app does not have there are neither spellings nor prices. #}
    {% set providers = mapped_rows('providers') | map(attribute='provider') | list %}
    {% if providers and seed in ['provider_aliases', 'provider_prices'] %}
        {% do conditions.append('provider not in (' ~ text_literals(providers) ~ ')') %}
    {% endif %}
    {{ return(conditions | join(' or ')) }}
{% endmacro %}

{% macro find_unloaded_values() %}
    {#
        Problems, in words, of a run that builds all of history but loads no seeds, where a seed's table
        lacks rows of the mapping.
    #}
    {% set problems = [] %}
    {% if not is_built_anew() or flags.WHICH not in ['build', 'run'] %}{{ return([]) }}{% endif %}
    {% for seed in mapped_values() if node_named('seed', seed).unique_id not in selected_resources %}
        {% set node = node_named('seed', seed) %}
        {% set relation = load_relation(api.Relation.create(node.database, node.schema, node.alias)) %}
        {% set lacking = [] %}
        {% for row in mapped_rows(seed) if relation %}
            {% set same = [] %}
            {% for column, value in row.items() if value is not none %}
                {% do same.append(column ~ ' = ' ~ text_literals([value])) %}
            {% endfor %}
            {% do lacking.append(
                'not exists (select 1 from ' ~ relation ~ ' where ' ~ same | join(' and ') ~ ')'
            ) %}
        {% endfor %}
        {% if lacking and run_query('select ' ~ lacking | join(' or ')).columns[0].values()[0] %}
            {% do problems.append(
                "seed " ~ seed ~ " lacks rows of " ~ mapping_file() ~ ", and this run does not load it:"
                ~ " run `dbt build --full-refresh`, without a selection"
            ) %}
        {% endif %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}

{% macro named_providers() %}
    {# The providers that a mapping's aliases and prices name. #}
    {% set rows = mapped_rows('provider_aliases') + mapped_rows('provider_prices') %}
    {{ return(rows | map(attribute='provider') | unique | sort) }}
{% endmacro %}
