{% macro mapped_seeds() %}
    {#
        The seeds whose rows a mapping may give, as a dict: the columns that tell rows apart (`key`),
        those that a row must have (`required`), what others are where they are left out (`defaults`),
        what a column may hold (`allowed`), and whether the rows stand for all of the seed (`is_list`) or
        go before its own.
    #}
    {% set kinds = ['generation_charge', 'other_charge', 'refund', 'grant', 'adjustment', 'hold',
                    'release'] %}
    {% set statuses = ['pending', 'processing', 'completed', 'failed', 'cancelled'] %}
    {{ return({
        'transaction_kinds': {
            'key': ['transaction_type', 'enhancement_type'],
            'required': ['transaction_type', 'transaction_kind'],
            'defaults': {'is_bought': false},
            'allowed': {'transaction_kind': kinds, 'is_bought': [true, false]},
        },
        'statuses': {
            'key': ['app_status'], 'required': ['app_status'], 'defaults': {},
            'allowed': {'status': statuses, 'ledger_effect': ['none', 'hold']},
        },
        'provider_aliases': {
            'key': ['alias'], 'required': ['alias', 'provider'], 'defaults': {}, 'allowed': {},
        },
        'vendor_line_states': {
            'key': ['state'], 'required': ['state', 'line_kind'], 'defaults': {},
            'allowed': {'line_kind': ['charge', 'refund', 'pending', 'other']},
        },
        'vendor_models': {
            'key': ['model_prefix'], 'required': ['model_prefix', 'provider'], 'defaults': {},
            'allowed': {},
        },
        'providers': {
            'key': ['provider'], 'required': ['provider'], 'defaults': {'is_current': true},
            'allowed': {'is_current': [true, false]}, 'name': 'provider_name', 'is_list': true,
        },
        'enhancement_types': {
            'key': ['enhancement_type'], 'required': ['enhancement_type'],
            'defaults': {'medium': 'unknown'}, 'allowed': {'medium': ['image', 'video', 'unknown']},
            'name': 'enhancement_type_name', 'is_list': true,
        },
        'subscription_tiers': {
            'key': ['subscription_tier'], 'required': ['subscription_tier'], 'defaults': {},
            'allowed': {}, 'is_list': true,
        },
        'provider_prices': {
            'key': ['provider', 'valid_from'],
            'required': ['provider', 'valid_from', 'price_usd', 'credits'], 'defaults': {},
            'allowed': {}, 'is_list': true,
        },
    }) }}
{% endmacro %}

{% macro mapped_values() %}
    {# The rows that a mapping gives, as a dict of lists by the seed's name; empty without any. #}
    {% set node = node_named('source', 'app.credit_transactions') if execute %}
    {{ return((node.config.meta.get('values') or {}) if node else {}) }}
{% endmacro %}

{% macro mapped_rows(seed) %}
    {#
        A mapping's rows of one seed, a list of dicts with all of the seed's columns: names are cleaned
        as those of the app's rows are, and what is left out has its default.
    #}
    {% set values, form, rows = mapped_values(), mapped_seeds()[seed], [] %}
    {% for given in values.get(seed) or [] %}
        {% set row = {} %}
        {% for column in node_named('seed', seed).columns %}
            {% set value = given[column] if given.get(column) is not none
                else form.defaults.get(column) %}
            {% do row.update({
                column: value | string | lower | trim
                    if column in form.key and value is not none else value
            }) %}
        {% endfor %}
        {% if 'name' in form %}
            {% do row.update({form.name: row[form.name] or given[form.key[0]] | string}) %}
        {% elif seed == 'transaction_kinds' %}
            {% do row.update({'direction': direction_of_kind(row.transaction_kind)}) %}
        {% elif seed in ['provider_aliases', 'vendor_models'] %}
            {% do row.update({'provider': row.provider | string | lower | trim}) %}
        {% elif seed == 'subscription_tiers' and row.tier_rank is none %}
            {% do row.update({'tier_rank': loop.index}) %}
        {% endif %}
        {% do rows.append(row) %}
    {% endfor %}
    {# What has no name is `unknown`, whatever names the app has. #}
    {% if rows and 'name' in form and 'unknown' not in rows | map(attribute=form.key[0]) %}
        {% set unknown = {form.key[0]: 'unknown', form.name: 'Unknown'} %}
        {% do unknown.update(
            {'is_current': false} if seed == 'providers' else {'medium': 'unknown'}
        ) %}
        {% do rows.append(unknown) %}
    {% endif %}
    {{ return(rows) }}
{% endmacro %}

{% macro direction_of_kind(kind) %}
    {# Which way credits go by the kind of a ledger row; none where the amount's sign says it. #}
    {{ return({
        'generation_charge': -1, 'other_charge': -1, 'hold': -1, 'refund': 1, 'grant': 1, 'release': 1,
    }.get(kind)) }}
{% endmacro %}
