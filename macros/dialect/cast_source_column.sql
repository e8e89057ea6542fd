{% macro cast_source_column(column, found_type, data_type) %}
    {#
        An SQL expression that reads a quoted `column` of the app, of the server's `found_type`, as
        `data_type`; nothing where its values could not all be read exactly.
    #}
    {{ return(adapter.dispatch('cast_source_column', 'paygen')(column, found_type, data_type)) }}
{% endmacro %}

{% macro default__cast_source_column(column, found_type, data_type) %}
    {{ return('cast(' ~ column ~ ' as ' ~ type_declared(data_type) ~ ')') }}
{% endmacro %}

{% macro postgres__cast_source_column(column, found_type, data_type) %}
    {% set cast = 'cast(' ~ column ~ ' as ' ~ data_type ~ ')' %}
    {% if found_type == 'record' %}
        {# Two values in an expression that must be one. #}
        {{ return(none) }}
    {% elif data_type == 'timestamptz' %}
        {# A timestamp without a zone is UTC, whatever the session's zone. #}
        {{ return({
            'timestamp with time zone': column,
            'timestamp without time zone': column ~ " at time zone 'UTC'",
        }.get(found_type)) }}
    {% elif data_type == 'numeric' %}
        {% if found_type in ['real', 'double precision'] %}
            {# A cast keeps 6 or 15 digits; the text is the shortest decimal that it stands for. #}
            {{ return('cast(cast(' ~ column ~ ' as text) as numeric)') }}
        {% endif %}
        {% if found_type == 'money' and money_factor() %}
            {{ return(none) }}
        {% endif %}
        {{ return(cast if found_type in ['smallint', 'integer', 'bigint', 'numeric', 'money'] else none) }}
    {% elif found_type in ['json', 'jsonb'] %}
        {# A string without its quotes. #}
        {{ return('(' ~ column ~ " #>> '{}')") }}
    {% elif data_type == 'text' and found_type not in ['uuid', 'smallint', 'integer', 'bigint'] %}
        {# No pattern can be tried on a column whose collation ignores case. #}
        {{ return(cast ~ ' collate "default"') }}
    {% endif %}
    {{ return(cast) }}
{% endmacro %}

{% macro spark__cast_source_column(column, found_type, data_type) %}
    {% set type = found_type.partition('(')[0] %}
    {% set cast = 'cast(' ~ column ~ ' as ' ~ type_declared(data_type) ~ ')' %}
    {% if data_type == 'timestamptz' %}
        {# A timestamp without a zone is UTC, as the session is. #}
        {{ return({'timestamp': column, 'timestamp_ntz': cast}.get(type)) }}
    {% elif data_type == 'numeric' %}
        {% if type in ['float', 'double'] %}
            {# The text is the shortest decimal that it stands for. #}
            {{ return('cast(' ~ as_text(column) ~ ' as ' ~ type_declared(data_type) ~ ')') }}
        {% endif %}
        {{ return(cast if type in ['tinyint', 'smallint', 'int', 'bigint', 'decimal'] else none) }}
    {% endif %}
    {{ return(cast) }}
{% endmacro %}
