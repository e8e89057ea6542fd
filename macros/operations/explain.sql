{% macro explain(
    mart, figure, month=none, day=none, provider=none, type=none, user=none, rows=20, after=0
) %}
    {#
        Print why a cell of a mart is what it is: the rule, the measures it is made of, and the rows that
        count in each, back to the app's own; and whether they add up to the cell. Ids are all it shows of
        a row.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {% set names = {'month': month, 'day': day, 'provider': provider, 'type': type, 'user': user} %}
    {% set parts = explained_parts(mart, figure) %}
    {% set cell = explained_cell(parts, names) %}
    {% set limits = rows_to_print(rows, after) %}
    {{ print('explain: ' ~ mart ~ '.' ~ figure ~ cell.where_in_words ~ ' = ' ~ figure_text(cell.value)) }}
    {{ print('  ' ~ parts[0]['rule']) }}
    {% set sums = {'value': [], 'divisor': []} %}
    {% for part in parts %}
        {% set found = run_query(
            'select count(*), coalesce(sum(contributes), 0) from (' ~ rows_of_part(part, cell) ~ ') as rows_of_part'
        ).rows[0] %}
        {% do sums[part['side']].append(found[1]) %}
        {{ print(
            '  ' ~ part['side'] ~ ': ' ~ part['measure'] ~ ', ' ~ found[0] ~ ' row(s), '
            ~ figure_text(found[1]) ~ '. ' ~ part['measure_rule']
        ) }}
    {% endfor %}
    {% set answer = run_query('select ' ~ figure_of_sums(sums, cell.decimals)).columns[0].values()[0] %}
    {{ print('  ' ~ (
        'The rows add up to the cell.' if answer == cell.value
        else 'The rows give ' ~ figure_text(answer) ~ ' now: a run has not brought all of them into '
            ~ mart ~ ' yet. Run `dbt build`.'
    )) }}
    {% for part in parts %}
        {% do print_rows_of_part(part, cell, limits) %}
    {% endfor %}
{% endmacro %}

{% macro explained_parts(mart, figure) %}
    {# The parts of a figure, as `figure_parts` has them; or a sentence on what there is instead. #}
    {% if not built_relation('figure_parts') %}
        {{ exceptions.raise_compiler_error('explain: there are no marts yet: run `dbt build` first') }}
    {% endif %}
    {% set parts = run_query(
        'select * from ' ~ read_relation('figure_parts') ~ ' where mart = ' ~ text_literals([mart])
        ~ ' and figure = ' ~ text_literals([figure]) ~ ' order by side desc, measure'
    ).rows %}
    {% if parts %}{{ return(parts) }}{% endif %}
    {% set figures_of_mart = run_query(
        'select distinct figure from ' ~ read_relation('figure_parts') ~ ' where mart = '
        ~ text_literals([mart]) ~ ' order by 1'
    ).columns[0].values() %}
    {% if figures_of_mart %}
        {{ exceptions.raise_compiler_error(
            'explain: ' ~ mart ~ " has no figure '" ~ figure ~ "'; it has " ~ figures_of_mart | join(', ')
        ) }}
    {% endif %}
    {{ exceptions.raise_compiler_error(
        "explain: there is no mart '" ~ mart ~ "' with explained figures; there are "
        ~ explained_marts() | join(', ')
    ) }}
{% endmacro %}

{% macro explained_cell(parts, names) %}
    {#
        The cell that names point to: its value and how it was rounded, the days of its rows, and its
        provider, type and user; or a sentence on what is missing or not there.
    #}
    {% set mart, figure = parts[0]['mart'], parts[0]['figure'] %}
    {% set keys = {
        'month_start': 'month', 'usage_date': 'day', 'provider': 'provider', 'enhancement_type': 'type',
        'user_id': 'user',
    } %}
    {% set cell_keys = parts[0]['cell_keys'].split(', ') if parts[0]['cell_keys'] else [] %}
    {% set is_summed = 'usage_date' in cell_keys %}
    {% set allowed = [] %}
    {% for key in cell_keys %}{% do allowed.append(keys[key]) %}{% endfor %}
    {% if is_summed %}{% do allowed.append('month') %}{% endif %}
    {% for name, value in names.items() if value is not none and name not in allowed %}
        {{ exceptions.raise_compiler_error(
            'explain: a cell of ' ~ mart ~ ' is not named by ' ~ name ~ ', but by '
            ~ (allowed | join(', ') or 'nothing') ~ ': leave ' ~ name ~ ' out'
        ) }}
    {% endfor %}
    {% if is_summed and (names.month is none) == (names.day is none) %}
        {{ exceptions.raise_compiler_error('explain: name a day or a month of ' ~ mart) }}
    {% endif %}
    {% for key in cell_keys if names[keys[key]] is none and not is_summed %}
        {{ exceptions.raise_compiler_error(
            'explain: name the ' ~ keys[key] ~ ' of the cell of ' ~ mart
        ) }}
    {% endfor %}
    {% set month = names.month | string if names.month is not none else none %}
    {% if month and not modules.re.fullmatch('[0-9]{4}-(0[1-9]|1[0-2])', month) %}
        {{ exceptions.raise_compiler_error(
            "explain: '" ~ month ~ "' is no month: write it as 2025-05"
        ) }}
    {% endif %}
    {% set day = names.day | string if names.day is not none else none %}
    {% if day and not is_iso_day(day) %}
        {{ exceptions.raise_compiler_error("explain: '" ~ day ~ "' is no day: write it as 2025-05-31") }}
    {% endif %}
    {% set conditions = [] %}
    {% for column, value in {
        'provider': names.provider, 'enhancement_type': names.type, 'user_id': names.user,
    }.items() if value is not none %}
        {% do conditions.append(column ~ ' = ' ~ text_literals([value])) %}
    {% endfor %}
    {% set period = days_of_period(parts[0]['period'] if not (is_summed and month) else 'month', month, day) %}
    {% set of_mart = conditions | list %}
    {% if month and is_summed %}
        {% do of_mart.append(
            "usage_date >= '" ~ period.first ~ "' and usage_date < '" ~ period.end ~ "'"
        ) %}
    {% elif month %}
        {% do of_mart.append("month_start = '" ~ month ~ "-01'") %}
    {% elif day %}
        {% do of_mart.append("usage_date = '" ~ day ~ "'") %}
    {% endif %}
    {% set found = run_query(
        'select count(*), ' ~ ('sum(' ~ figure ~ ')' if is_summed else 'min(' ~ figure ~ ')')
        ~ ', (select case when atttypmod > 4 then (atttypmod - 4) & 2047 end from pg_attribute'
        ~ " where attrelid = '" ~ (read_relation(mart) | string | replace("'", "''")) ~ "'::regclass and attname = '"
        ~ figure ~ "') from " ~ read_relation(mart)
        ~ ' where ' ~ (of_mart | join(' and ') or 'true')
    ).rows[0] %}
    {% set words = [] %}
    {% for name, value in names.items() if value is not none %}
        {% do words.append(', ' ~ name ~ ' ' ~ value) %}
    {% endfor %}
    {% if not found[0] %}
        {{ exceptions.raise_compiler_error(
            'explain: ' ~ mart ~ ' has no row of' ~ (words | join('') | replace(',', '', 1))
            ~ '; ' ~ rows_there(mart, cell_keys)
        ) }}
    {% endif %}
    {{ return({
        'mart': mart, 'value': found[1], 'decimals': found[2], 'period': period, 'conditions': conditions,
        'where_in_words': words | join(''),
    }) }}
{% endmacro %}

{% macro read_relation(model_name) -%}
    {#- A built model as the operation reads it: in the database that it is connected to. -#}
    {{- built_relation(model_name).include(database=false) -}}
{%- endmacro %}

{% macro rows_there(mart, cell_keys) %}
    {# What there is instead of a cell that is not there: the first and last period, and providers. #}
    {% set key = cell_keys[0] %}
    {% set ends = run_query('select min(' ~ key ~ '), max(' ~ key ~ ') from ' ~ read_relation(mart)).rows[0] %}
    {% set there = 'it has ' ~ ends[0] ~ ' to ' ~ ends[1] if ends[0] else 'it is empty' %}
    {% if 'provider' in cell_keys and ends[0] %}
        {% set providers = run_query(
            'select distinct provider from ' ~ read_relation(mart) ~ ' order by 1 limit 20'
        ).columns[0].values() %}
        {% set there = there ~ ', with the providers ' ~ providers | join(', ') %}
    {% endif %}
    {{ return(there) }}
{% endmacro %}

{% macro days_of_period(period, month, day) %}
    {# The first day of a period, the day after its last, and what else its rows must be. #}
    {% set overview = read_relation('dashboard_overview') %}
    {% set today = '(select (as_of at time zone reporting_timezone)::date from ' ~ overview ~ ')' %}
    {% set first = {
        'month': "date '" ~ month ~ "-01'",
        'day': "date '" ~ day ~ "'",
        'today': today,
        'this_month': "date_trunc('month', " ~ today ~ ')::date',
        'last_7_days': today ~ ' - 8',
        'same_days_prior_month': "(date '" ~ month ~ "-01' - interval '1 month')::date",
        'now': 'null::date',
    }[period] %}
    {% set days = run_query(
        'select first, case ' ~ "'" ~ period ~ "'"
        ~ " when 'day' then first + 1 when 'today' then first + 1 when 'last_7_days' then first + 10"
        ~ " else (first + interval '1 month')::date end as end, as_of"
        ~ ' from ' ~ overview ~ ', (select ' ~ first ~ ' as first) as period'
    ).rows[0] %}
    {% set more = 'true' %}
    {% if period == 'last_7_days' %}
        {% set more = "row_at > (select as_of from " ~ overview ~ ") - interval '168 hours'" %}
    {% elif period == 'same_days_prior_month' %}
        {% set last_day = run_query(
            "select extract(day from least(date '" ~ month ~ "-01' + interval '1 month - 1 day', " ~ today ~ '))::int'
        ).columns[0].values()[0] %}
        {% set more = 'extract(day from row_date) <= ' ~ last_day %}
    {% endif %}
    {{ return({'first': days[0], 'end': days[1], 'more': more}) }}
{% endmacro %}

{% macro rows_of_part(part, cell) -%}
    {#
        A query: the rows that count in a part of a cell, each with what it contributes, the part's factor
        included. By time as well as by day, for the index on the time gives them in their order.
    #}
    {%- set conditions = ["measure = '" ~ part['measure'] ~ "'", cell.period.more] -%}
    {%- if cell.period.first -%}
        {%- do conditions.append(
            "row_date >= '" ~ cell.period.first ~ "' and row_date < '" ~ cell.period.end ~ "'"
        ) -%}
        {%- if part['row_source'] in ['generations', 'refunds'] -%}
            {%- do conditions.append(
                "row_at >= timestamptz '" ~ cell.period.first ~ " 00:00+00' - interval '2 days'"
                ~ " and row_at < timestamptz '" ~ cell.period.end ~ " 00:00+00' + interval '2 days'"
            ) -%}
        {%- endif -%}
    {%- endif -%}
    {%- for condition in cell.conditions if not (part['is_of_all_providers'] and condition.startswith('provider')) -%}
        {%- do conditions.append(condition) -%}
    {%- endfor -%}
    {%- set found = ' from ' ~ read_relation('figure_rows') ~ ' where ' ~ conditions | join(' and ') -%}
    {%- if part['is_by_user'] -%}
        select
            'user' as row_kind, user_id as row_id, null::text as generation_id, min(row_at) as row_at,
            {{ part['factor'] }} as contributes, null::bigint as position
        {{ found }} group by user_id
    {%- elif part['percentile'] is not none -%}
        select
            row_kind, row_id, generation_id, row_at,
            contributes * greatest(0, 1 - abs({{ part['percentile'] }} * (rows - 1) + 1 - position)) as contributes,
            position
        from (
            select
                *, row_number() over (order by contributes, row_at, row_id collate "C") as position,
                count(*) over () as rows
            {{ found }}
        ) as ordered
    {%- else -%}
        select
            row_kind, row_id, generation_id, row_at, {{ part['factor'] }} * contributes as contributes,
            null::bigint as position
        {{ found }}
    {%- endif -%}
{%- endmacro %}

{% macro figure_of_sums(sums, decimals) -%}
    {#- The figure that the sums of parts give, rounded as its column is. -#}
    {%- set value = '(' ~ (sums.value | join(' + ')) ~ ')::numeric' -%}
    {%- if sums.divisor -%}
        {{ safe_divide(value, '(' ~ (sums.divisor | join(' + ')) ~ ')') }}
    {%- elif decimals is not none -%}
        round({{ value }}, {{ decimals }})
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}

{% macro rows_to_print(rows, after) %}
    {# How many rows of each part are printed, and after how many; none for all. #}
    {% set count = none if rows == 'all' else rows %}
    {% if (count is not none and (count is not integer or count < 0)) or after is not integer or after < 0 %}
        {{ exceptions.raise_compiler_error(
            "explain: rows is a number, or all, and after is a number: '" ~ rows ~ "', '" ~ after ~ "'"
        ) }}
    {% endif %}
    {{ return({'rows': count, 'after': after}) }}
{% endmacro %}

{% macro print_rows_of_part(part, cell, limits) %}
    {# Print the rows of a part, those that a percentile picks first, each with the app's rows behind it. #}
    {% if limits.rows == 0 %}{{ return('') }}{% endif %}
    {% set found = run_query(
        "select row_kind, row_id, generation_id, to_char(row_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as at,"
        ~ ' contributes, position from (' ~ rows_of_part(part, cell) ~ ') as rows_of_part'
        ~ (' order by contributes = 0, position' if part['percentile'] is not none
            else ' order by row_at, row_id collate "C"')
        ~ (' limit ' ~ limits.rows if limits.rows is not none else '') ~ ' offset ' ~ limits.after
    ).rows %}
    {{ print('  ' ~ part['side'] ~ ', ' ~ part['measure'] ~ ':' ~ (' no more rows' if not found else '')) }}
    {% set behind = rows_behind(found) %}
    {% for row in found %}
        {{ print(
            '    ' ~ figure_text(row['contributes']) ~ '  ' ~ row['row_kind'] ~ ' ' ~ row['row_id']
            ~ (' of generation ' ~ row['generation_id']
                if row['row_kind'] == 'refund' and row['generation_id'] else '')
            ~ (', ' ~ row['at'] if row['at'] else '')
            ~ (', place ' ~ row['position'] if row['position'] is not none else '')
        ) }}
        {% for line in behind.get(row['generation_id'] or row['row_id'], []) %}
            {{ print('      ' ~ line) }}
        {% endfor %}
    {% endfor %}
{% endmacro %}

{% macro rows_behind(rows) %}
    {# By generation or user, lines on the app's rows behind it: of a user the ledger, summed. #}
    {% set generations, users, lines = [], [], {} %}
    {% for row in rows %}
        {% if row['generation_id'] %}{% do generations.append(row['generation_id']) %}{% endif %}
        {% if row['row_kind'] == 'user' %}{% do users.append(row['row_id']) %}{% endif %}
    {% endfor %}
    {% for row in run_query(
        'select behind.* from unnest(array[' ~ text_literals(generations) ~ ']::text[]) as wanted (id)'
        ~ ' cross join lateral (select * from ' ~ read_relation('generation_rows')
        ~ ' where generation_id = wanted.id offset 0) as behind order by generation_id, created_at, app_row_id'
    ).rows if generations %}
        {% set amounts = [] %}
        {% for name, unit in {
            'credits_used': 'credits used', 'credits_refunded': 'credits refunded',
            'vendor_cost_usd': 'USD of vendor cost', 'list_cost_usd': 'USD of list cost',
        }.items() if row[name] %}
            {% do amounts.append(figure_text(row[name]) ~ ' ' ~ unit) %}
        {% endfor %}
        {% do lines.setdefault(row['generation_id'], []).append(
            row['app_table'] ~ ' ' ~ row['app_row_id'] ~ (': ' ~ amounts | join(', ') if amounts else '')
            ~ '. ' ~ row['rule']
        ) %}
    {% endfor %}
    {% set balances = built_relation('credit_balance_reconciliation') %}
    {% for row in run_query(
        'select * from ' ~ read_relation('credit_balance_reconciliation') ~ ' where user_id = any(array[' ~ text_literals(users) ~ ']::text[])'
    ).rows if users and balances %}
        {% do lines.setdefault(row['user_id'], []).append(
            "the user's ledger sums to " ~ figure_text(row['ledger_balance']) ~ ' credits, the app has '
            ~ figure_text(row['app_balance'])
        ) %}
    {% endfor %}
    {{ return(lines) }}
{% endmacro %}

{% macro figure_text(value) %}
    {# A figure as it is printed: without the zeros of its scale. #}
    {% if value is none %}{{ return('N/A') }}{% endif %}
    {% set text = '%f' % value if value is float else value | string %}
    {% if '.' in text and 'E' not in text %}{% set text = text.rstrip('0').rstrip('.') %}{% endif %}
    {{ return(text) }}
{% endmacro %}
