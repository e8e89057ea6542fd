{% macro close_month(month, by, reason=none) %}
    {#
        Close a month: keep its headline figures as they are, with the rules, prices and code in force and
        what each generation adds to them, and write an entry, signed by `by`, into the trail of closes.
        All of it or nothing.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {% do check_signature(month, by, reason) %}
    {% do check_closes_are_built() %}
    {% do hold_run() %}
    {% set problem = find_close_problem(month) %}
    {% if problem %}
        {{ exceptions.raise_compiler_error(problem ~ '; nothing was written') }}
    {% endif %}
    {% do write_close(month, by, reason) %}
    {{ print_entry(month) }}
{% endmacro %}

{% macro check_signature(month, by, reason) %}
    {# Stop where month, name or reason are not what they must be. #}
    {% if not modules.re.fullmatch('[12]\\d{3}-(0[1-9]|1[0-2])', month | string) %}
        {{ exceptions.raise_compiler_error(
            "month is '" ~ month ~ "': write it as YYYY-MM, such as 2024-10; nothing was written"
        ) }}
    {% endif %}
    {% for name, text, most in [('by', by, 100), ('reason', reason, 500)]
        if name == 'by' or text is not none %}
        {% if text is not string or not text.strip() or text | length > most
            or modules.re.search('[\\x00-\\x1f\\x7f]', text) %}
            {{ exceptions.raise_compiler_error(
                name ~ ' must be one line of at most ' ~ most ~ " letters, such as --args '{month: 2024-10,"
                ~ " by: Ann Example}'; nothing was written"
            ) }}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro check_closes_are_built() %}
    {# Stop where a table that a close is written into or made from is missing. #}
    {% set missing = missing_for_closes() %}
    {% if missing %}
        {{ exceptions.raise_compiler_error(
            'there is no ' ~ missing | join(', ') ~ ' yet: run `dbt build --selector daily` first; nothing'
            ~ ' was written'
        ) }}
    {% endif %}
{% endmacro %}

{% macro missing_for_closes() %}
    {# The tables that a close is written into or made from and that no run has built. #}
    {% set missing = [] %}
    {% for name in [
        'int_month_closes', 'int_closed_figures', 'int_closed_generations', 'int_closed_credits',
        'month_closes', 'closed_figures', 'headline_figures', 'restated_rows', 'monthly_restatements',
        'monthly_credit_movements', 'int_credits_given', 'dashboard_overview',
    ] if not built_relation(name) %}
        {% do missing.append(name) %}
    {% endfor %}
    {{ return(missing) }}
{% endmacro %}

{% macro find_close_problem(month) %}
    {# Why a month cannot be closed, as a sentence; none where it can. #}
    {% set start = "date '" ~ month ~ "-01'" %}
    {% set close = current_close(month) %}
    {% if close %}
        {{ return(
            month ~ ' is closed already, by ' ~ close['signed_by'] ~ ' at ' ~ close['recorded_at']
            ~ ': run reopen_month first'
        ) }}
    {% endif %}
    {% set end = start_of_day(dbt.dateadd('month', 1, start)) %}
    {% set found = run_query(
        'select ' ~ end ~ ' > ' ~ server_clock() ~ ' as has_not_ended, ' ~ end ~ ' > as_of as is_behind,'
        ~ ' as_of, (select ' ~ month_text('min(month_start)') ~ ' from '
        ~ built_relation('monthly_usage') ~ ') as first_month, (select ' ~ month_text('max(month_start)')
        ~ ' from ' ~ built_relation('monthly_usage') ~ ') as last_month,'
        ~ ' exists (select from ' ~ built_relation('int_run_manifest')
        ~ ' where completed_at is null) as is_incomplete, exists (select from '
        ~ built_relation('int_run_manifest') ~ " where fingerprint = '" ~ run_fingerprint()
        ~ "') as has_this_code from " ~ built_relation('dashboard_overview')
    ).rows[0] %}
    {% if found['has_not_ended'] %}
        {{ return(month ~ ' has not ended: close it when it is over') }}
    {% elif found['is_behind'] %}
        {{ return(
            'the marts are as of ' ~ found['as_of'] ~ ', before the end of ' ~ month
            ~ ': run `dbt build` first'
        ) }}
    {% elif found['is_incomplete'] %}
        {{ return('the last run did not complete, so figures may be mixed: run `dbt build` first') }}
    {% elif not found['has_this_code']
        or fromjson(of_newest_run('settings') | first) != history_settings() %}
        {{ return(
            'the marts were built under other variables, seeds or code than those that would be signed:'
            ~ ' run `dbt build` first, and give both the same --vars'
        ) }}
    {% elif month < found['first_month'] or month > found['last_month'] %}
        {{ return(
            'there is no month ' ~ month ~ ': the marts have ' ~ found['first_month'] ~ ' to '
            ~ found['last_month']
        ) }}
    {% elif not month_has_data(month) %}
        {{ return(month ~ ' has no data, so there is nothing to close') }}
    {% endif %}
    {% set earlier = open_months_before(month) %}
    {% if earlier %}
        {{ return(earlier[0] ~ ' comes before ' ~ month ~ ' and is open: close it first') }}
    {% endif %}
    {{ return(find_differing_totals(month)) }}
{% endmacro %}

{% macro open_months_before(month) %}
    {# The months with data before a month, from the first that was ever closed on, that are open. #}
    {% set months = [] %}
    {% for open in run_query(
        'select ' ~ month_text('month_start') ~ ' from ' ~ built_relation('monthly_usage')
        ~ " where month_start < date '" ~ month ~ "-01' and month_start >= (select min(month_start) from "
        ~ built_relation('int_month_closes') ~ ') and month_start not in (select month_start from '
        ~ built_relation('month_closes') ~ ' where is_current) order by 1'
    ).columns[0].values() if month_has_data(open) %}
        {% do months.append(open) %}
    {% endfor %}
    {{ return(months) }}
{% endmacro %}

{% macro month_has_data(month) %}
    {# Whether any headline figure of a month is other than 0. #}
    {{ return(run_query(
        'select 1 from ' ~ built_relation('headline_figures') ~ " where month_start = date '" ~ month
        ~ "-01' and value <> 0 limit 1"
    ).rows | length > 0) }}
{% endmacro %}

{% macro find_differing_totals(month) %}
    {#
        Why a month's marts are not the sums of its rows, as a sentence; none where they are. A close keeps
        both, so they must agree.
    #}
    {% set months = [month ~ '-01'] %}
    {% set measures = [
        'generations', 'completed_generations', 'failed_generations', 'in_flight_generations',
        'credits_used', 'vendor_cost_usd', 'list_cost_usd', 'generations_without_cost',
    ] %}
    {% set credits = {'credits_refunded': 'sum(credits)', 'refunds_issued': 'count(*)'} %}
    {% for movement in credit_movements() if movement not in ['used', 'refunded'] %}
        {% do credits.update({'credits_' ~ movement: 'sum(credits)'}) %}
    {% endfor %}
    {% set sums = [] %}
    {% for measure in measures %}
        {% for provider in ["''", 'provider'] %}
            {% do sums.append(
                'select ' ~ provider ~ " as provider, '" ~ measure ~ "' as figure, "
                ~ ('round(sum(' ~ measure ~ '), 6)' if measure.endswith('_usd') else 'sum(' ~ measure ~ ')')
                ~ ' as value from sums group by 1'
            ) %}
        {% endfor %}
    {% endfor %}
    {% for figure, expression in credits.items() %}
        {% do sums.append(
            "select '', '" ~ figure ~ "', coalesce(" ~ expression ~ ", 0) from credits where movement = '"
            ~ ('refunded' if figure == 'refunds_issued' else figure[8:]) ~ "'"
        ) %}
    {% endfor %}
    {% set differing = run_query(
        'with sums as (select provider, ' ~ usage_measures() ~ ' from (' ~ generations_of_months(months)
        ~ ') as generations group by 1), credits as (' ~ credits_of_months(months)
        ~ '), by_rows as (' ~ sums | join(' union all ')
        ~ ") select distinct figure from (select coalesce(provider, '') as provider, figure, value from "
        ~ built_relation('headline_figures') ~ " where month_start = date '" ~ month ~ "-01' and figure in ("
        ~ text_literals(measures + credits | list) ~ ')) as figures full outer join by_rows'
        ~ ' using (provider, figure) where coalesce(figures.value, 0) <> coalesce(by_rows.value, 0) order by 1'
    ).columns[0].values() %}
    {% if differing %}
        {{ return(
            'the marts of ' ~ month ~ ' are not the sums of its rows (' ~ differing | join(', ')
            ~ '): run `dbt build --selector daily` first'
        ) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}

{% macro write_close(month, by, reason) %}
    {# Write what a close keeps, and its entry. #}
    {% set start = "date '" ~ month ~ "-01'" %}
    {% set prices = node_named('seed', 'provider_prices') %}
    {% set kept = {
        'int_closed_generations': generations_of_months([month ~ '-01']),
        'int_closed_credits': credits_of_months([month ~ '-01']),
        'int_closed_figures': 'select provider, figure, value from '
            ~ built_relation('headline_figures') ~ ' where month_start = ' ~ start,
    } %}
    {% set entry = begin_entry(month, 'open') %}
    {% for name, rows in kept.items() %}
        {% set columns = node_named('model', name).columns | list %}
        {% do run_query(
            'insert into ' ~ built_relation(name) ~ ' (' ~ columns | join(', ') ~ ') select ' ~ entry ~ ', '
            ~ columns[1:] | join(', ') ~ ' from (' ~ rows ~ ') as kept'
        ) %}
    {% endfor %}
    {#- Later runs join it, and the server knows nothing yet of what came. -#}
    {% do run_query('analyze ' ~ built_relation('int_closed_generations')) %}
    {% do run_query(
        'insert into ' ~ built_relation('int_month_closes')
        ~ ' (entry_number, month_start, event, recorded_at, role_name, signed_by, reason, as_of, starts_at,'
        ~ ' ends_at, rules, prices, credit_price_usd, code_version, rows_digest) select ' ~ entry ~ ', '
        ~ start ~ ", 'close', " ~ server_clock() ~ ', session_user, ' ~ signature(by, reason) ~ ', as_of, '
        ~ start_of_day(start) ~ ', ' ~ start_of_day(dbt.dateadd('month', 1, start)) ~ ', '
        ~ text_literals([rules_in_force()]) ~ ', (select coalesce(json_agg(json_build_array(provider,'
        ~ ' valid_from, price_usd) order by provider collate "C", valid_from), json_build_array())::text from '
        ~ api.Relation.create(none, prices.schema, prices.alias) ~ '), ' ~ var('credit_price_usd') ~ ', ' ~ text_literals([code_version()])
        ~ ', ' ~ rows_digest_of_close(entry) ~ ' from ' ~ built_relation('dashboard_overview')
    ) %}
    {% do end_entry(month, entry) %}
{% endmacro %}

{% macro begin_entry(month, state) %}
    {#
        Begin the transaction in which an entry is written, and answer the entry's number. Others wait for
        its end. The month must be in that state still.
    #}
    {% set entries = built_relation('int_month_closes') %}
    {% do begin_transaction() %}
    {% do run_query('lock table ' ~ entries ~ ' in share row exclusive mode') %}
    {% if state != ('closed' if current_close(month) else 'open') %}
        {{ exceptions.raise_compiler_error(month ~ ' is no longer ' ~ state ~ ', so nothing was written') }}
    {% endif %}
    {{ return(
        run_query('select coalesce(max(entry_number), 0) + 1 from ' ~ entries).columns[0].values()[0]
    ) }}
{% endmacro %}

{% macro end_entry(month, entry) %}
    {#
        Give an entry its digest, forget what was restated of its month, and end the transaction; not where
        the lock of runs was lost meanwhile.
    #}
    {% set entries = built_relation('int_month_closes') %}
    {% do run_query(
        'update ' ~ entries ~ ' set previous_digest = (select digest from ' ~ entries
        ~ ' as previous where previous.entry_number = ' ~ entry ~ ' - 1) where entry_number = ' ~ entry
    ) %}
    {% do run_query(
        'update ' ~ entries ~ ' as entries set digest = ' ~ entry_digest('entries') ~ ' where entry_number = ' ~ entry
    ) %}
    {% for name in ['restated_rows', 'monthly_restatements'] %}
        {% do run_query(
            'delete from ' ~ built_relation(name) ~ " where month_start = date '" ~ month ~ "-01'"
        ) %}
    {% endfor %}
    {% do check_run_is_held() %}
    {% do run_and_commit('select 1') %}
{% endmacro %}

{% macro current_close(month) %}
    {# The entry by which a month is closed; none where it is open. #}
    {{ return(run_query(
        'select signed_by, recorded_at, entry_number from ' ~ built_relation('month_closes')
        ~ " where is_current and month_start = date '" ~ month ~ "-01'"
    ).rows | first) }}
{% endmacro %}

{% macro signature(by, reason) -%}
    {#- The name and the reason that were stated, as SQL. -#}
    {{ text_literals([by.strip()]) }}, {{ text_literals([reason.strip()]) if reason else 'null' }}
{%- endmacro %}

{% macro month_text(date) -%}
    to_char({{ date }}, 'YYYY-MM')
{%- endmacro %}

{% macro print_entry(month) %}
    {# Print the newest entry of a month. #}
    {% for entry in run_query(
        'select event, entry_number, role_name, signed_by, recorded_at, digest from '
        ~ built_relation('int_month_closes') ~ " where month_start = date '" ~ month
        ~ "-01' order by entry_number desc limit 1"
    ).rows %}
        {{ print(
            ('closed ' if entry['event'] == 'close' else 'reopened ') ~ month ~ ': entry '
            ~ entry['entry_number'] ~ ', by ' ~ entry['signed_by'] ~ ' (role ' ~ entry['role_name'] ~ ') at '
            ~ entry['recorded_at'] ~ '\n  digest ' ~ entry['digest']
        ) }}
    {% endfor %}
{% endmacro %}
