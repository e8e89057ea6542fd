{% macro find_contradictions() %}
    {#
        Problems, in words, of kinds that a mapping gives to ledger rows which say the opposite: a charge
        whose rows raise balances. Rows say so by signed amounts, or by the ledger's own balances.
        Asked before history is built. Refunds, which some apps write with both signs, are judged by
        balances alone.
    #}
    {% set directions = mapped_directions() %}
    {% if not directions or not has_source('credit_transactions')
        or (built_relation('fct_generations') and not is_built_anew()) %}
        {{ return([]) }}
    {% endif %}
    {% set problems, charges, grants = [], {1: [], -1: [], 0: []}, {1: [], -1: [], 0: []} %}
    {% for type, pluses, minuses, rises, falls in run_query(moves_by_type_sql()).rows
        if type in directions %}
        {% set kind, direction = directions[type] %}
        {% if kind in ['generation_charge', 'other_charge'] %}
            {% do charges[most_of(pluses, minuses)].append(type) %}
        {% elif kind == 'grant' %}
            {% do grants[most_of(pluses, minuses)].append(type) %}
        {% endif %}
        {% if most_of(rises, falls) == -1 * direction %}
            {% do problems.append(contradiction(
                type, kind, direction, "the balances in the ledger " ~ ("rise" if direction < 0 else "fall")
                ~ " with " ~ [rises, falls] | max ~ " of its rows"
            )) %}
        {% endif %}
    {% endfor %}
    {% if not problems and charges[1] and (charges[-1] or grants[-1]) %}
        {% for type in charges[1] %}
            {% do problems.append(contradiction(
                type, directions[type][0], -1, "its amounts are positive, and those of "
                ~ (charges[-1] + grants[-1]) | join(', ') ~ " negative"
            )) %}
        {% endfor %}
    {% endif %}
    {% if grants[-1] and grants[1] and not problems %}
        {% for type in grants[-1] %}
            {% do problems.append(contradiction(
                type, 'grant', 1, "its amounts are negative, and those of " ~ grants[1] | join(', ')
                ~ " positive"
            )) %}
        {% endfor %}
    {% endif %}
    {{ return(problems) }}
{% endmacro %}

{% macro contradiction(type, kind, direction, reason) %}
    {# The sentence for one type, and the next step. #}
    {{ return(
        mapping_file() ~ " says that rows of transaction_type " ~ type ~ " are a " ~ kind ~ ", but they "
        ~ ("raise" if direction < 0 else "lower") ~ " balances: " ~ reason
        ~ "; name their kind under values, transaction_kinds, or map credits_used: {expression:"
        ~ " \"-1 * amount\"} where the app writes what it takes as positive amounts"
    ) }}
{% endmacro %}

{% macro most_of(pluses, minuses) %}
    {# 1 or -1 where nearly all of some numbers are that, else 0. #}
    {{ return(1 if pluses > 9 * minuses else -1 if minuses > 9 * pluses else 0) }}
{% endmacro %}

{% macro mapped_directions() %}
    {# The kind and direction that a mapping gives to a type, as a dict by type; without adjustments. #}
    {% set directions = {} %}
    {% for row in mapped_rows('transaction_kinds')
        if row.direction is not none and row.enhancement_type is none %}
        {% do directions.update({row.transaction_type: [row.transaction_kind, row.direction]}) %}
    {% endfor %}
    {{ return(directions) }}
{% endmacro %}

{% macro moves_by_type_sql() %}
    {#
        A query of how many of the ledger's first rows have an amount above and below 0, and how many
        raise and lower the balance that stands beside them by it, for each type. What moves by
        something else is the balance of other credits, such as those for videos.
    #}
    {% set app = source_columns('credit_transactions') %}
    {% set unsigned = modules.re.fullmatch('(?is)\\(abs\\s*\\(([^()]*)\\)\\)', app.taken.credits_used) %}
    {% set amount = '(' ~ unsigned.group(1) ~ ')' if unsigned else app.credits_used %}
    {% set balances = {} %}
    {% for name, found_type in source_column_types(source_relation('credit_transactions')).items()
        if not rows_of_source(node_named('source', 'app.credit_transactions')) %}
        {% do balances.update({
            name | lower | replace('_', ''): cast_source_column(adapter.quote(name), found_type, 'numeric')
        }) %}
    {% endfor %}
    {% set after = balances.get('balanceafter') or balances.get('newbalance')
        or balances.get('runningbalance') %}
    {% set before = balances.get('balancebefore') or balances.get('previousbalance')
        or balances.get('oldbalance') or (
            'lag(' ~ after ~ ') over (partition by ' ~ app.user_id ~ ' order by ' ~ app.created_at ~ ')'
        ) %}
    select
        transaction_type,
        sum(case when amount > 0 then 1 else 0 end) as pluses,
        sum(case when amount < 0 then 1 else 0 end) as minuses,
        sum(case when abs(balance - prior_balance) = abs(amount) and balance > prior_balance then 1 else 0 end)
            as rises,
        sum(case when abs(balance - prior_balance) = abs(amount) and balance < prior_balance then 1 else 0 end)
            as falls
    from (
        select
            {{ clean_name(app.transaction_type) }} as transaction_type,
            {{ amount }} as amount,
            {{ after or 'cast(null as integer)' }} as balance,
            {{ before if after else 'cast(null as integer)' }} as prior_balance
        from (select * from {{ app_rows('credit_transactions') }} limit 100000) as app_row
    ) as moves
    group by 1
{% endmacro %}
