{% macro suggested_expression(name, found_type, data_type, columns={}) %}
    {{ return(adapter.dispatch('suggested_expression', 'paygen')(name, found_type, data_type, columns)) }}
{% endmacro %}

{% macro default__suggested_expression(name, found_type, data_type, columns={}) %}
    {{ return('cast(' ~ name ~ ' as ' ~ data_type ~ ')') }}
{% endmacro %}

{% macro postgres__suggested_expression(name, found_type, data_type, columns={}) %}
    {% set numbers = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'] %}
    {% if found_type in ['json', 'jsonb'] %}
        {# A string without its quotes, or a number as text. #}
        {% set name = '(' ~ name ~ " #>> '{}')" %}
    {% elif found_type == 'money' %}
        {{ return('cast(' ~ name ~ ' as numeric)' ~ money_factor()) }}
    {% elif found_type == 'interval' and data_type == 'numeric' %}
        {{ return('extract(epoch from ' ~ name ~ ') * 1000') }}
    {% endif %}
    {% if data_type == 'timestamptz' and found_type in numbers %}
        {# What JavaScript counts in; for seconds leave the division out. #}
        {{ return('to_timestamp(' ~ name ~ ' / 1000.0)') }}
    {% elif data_type == 'timestamptz' and (found_type.startswith('time') or found_type == 'interval') %}
        {# A time of a day, whose day is in another column. #}
        {% set days = [] %}
        {% for column, type in columns.items() if type == 'date' %}
            {% do days.append(column if modules.re.fullmatch('[a-z_][a-z0-9_]*', column)
                              else adapter.quote(column)) %}
        {% endfor %}
        {{ return('(' ~ (days | first | default('its_day')) ~ ' + '
                  ~ ('cast(' ~ name ~ ' as time)' if found_type == 'time with time zone' else name)
                  ~ ") at time zone 'UTC'") }}
    {% elif data_type == 'timestamptz' %}
        {{ return('cast(' ~ name ~ " as timestamp) at time zone 'UTC'") }}
    {% endif %}
    {{ return(default__suggested_expression(name, found_type, data_type)) }}
{% endmacro %}
