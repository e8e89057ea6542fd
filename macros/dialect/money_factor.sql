{% macro money_factor() %}
    {#
        What an amount of the type money is to be multiplied by, as SQL after it; nothing where it is kept
        in hundredths, as a run reads it, whatever the database's `lc_monetary`. Asked once a run.
    #}
    {{ return(adapter.dispatch('money_factor', 'paygen')()) }}
{% endmacro %}

{% macro default__money_factor() %}
    {{ return('') }}
{% endmacro %}

{% macro postgres__money_factor() %}
    {% set known = run_memory('digits of money') %}
    {% if not known %}
        {% do run_query(
            "select set_config('lc_monetary', reset_val, false) from pg_settings"
            ~ " where name = 'lc_monetary'"
        ) %}
        {% set digits = run_query('select scale(cast(cast(0 as money) as numeric))').rows[0][0] | int %}
        {% do run_query("set lc_monetary to 'C'") %}
        {% do known.update({'factor':
            {0: ' * 100', 1: ' * 10', 2: ''}.get(digits, ' / ' ~ 10 ** (digits - 2) ~ '.0')
        }) %}
    {% endif %}
    {{ return(known.factor) }}
{% endmacro %}
