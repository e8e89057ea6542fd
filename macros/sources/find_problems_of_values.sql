{% macro find_problems_of_values() %}
    {# What is wrong with the rows that a mapping gives of seeds, in words. #}
    {% set problems, values = [], mapped_values() %}
    {% set say = problems.append %}
    {% set place = mapping_file() ~ ', values' %}
    {% if not values %}{{ return([]) }}{% endif %}
    {% if values is not mapping %}
        {{ return([place ~ " is '" ~ values ~ "': it must name " ~ mapped_seeds() | join(' or ')]) }}
    {% endif %}
    {% for seed, rows in values.items() %}
        {% if seed not in mapped_seeds() %}
            {% do say(place ~ ": there is no `" ~ seed ~ "`, only " ~ mapped_seeds() | join(', ')) %}
        {% elif rows is string or rows is mapping or rows is not sequence
            or rows | reject('mapping') | list %}
            {% do say(place ~ ": " ~ seed ~ " must be a list of rows such as {"
                      ~ mapped_seeds()[seed].required | join(': ..., ') ~ ": ...}") %}
        {% else %}
            {% for row in rows %}
                {% do problems.extend(find_problems_of_row(
                    seed, row, place ~ ", " ~ seed ~ " " ~ loop.index ~ ": "
                )) %}
            {% endfor %}
        {% endif %}
    {% endfor %}
    {% if problems %}{{ return(problems) }}{% endif %}
    {% for seed in values %}
        {% set form, keys = mapped_seeds()[seed], [] %}
        {% for row in mapped_rows(seed) %}
            {% set key = [] %}
            {% for column in form.key if row[column] is not none %}{% do key.append(row[column]) %}{% endfor %}
            {% if key | join(', ') in keys %}
                {% do say(place ~ ": " ~ seed ~ " has two rows of " ~ key | join(', ')
                          ~ ": keep one of them") %}
            {% endif %}
            {% do keys.append(key | join(', ')) %}
        {% endfor %}
    {% endfor %}
    {% set providers = mapped_rows('providers') | map(attribute='provider') | list %}
    {% for provider in named_providers() if providers and provider not in providers %}
        {% do say(place ~ ": aliases or prices name provider " ~ provider
                  ~ ", which is not in providers: add it there") %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}

{% macro find_problems_of_row(seed, row, place) %}
    {# What is wrong with one row. #}
    {% set problems, form = [], mapped_seeds()[seed] %}
    {% set say = problems.append %}
    {% set columns = node_named('seed', seed).columns %}
    {% set numbers = ['price_usd', 'credits', 'monthly_credits'] %}
    {% for column in form.required if row.get(column) is none %}
        {% do say(place ~ column ~ " is missing") %}
    {% endfor %}
    {% if seed == 'statuses' and row.get('status') is none and row.get('ledger_effect') is none %}
        {% do say(place ~ "neither status nor ledger_effect says what " ~ row.get('app_status')
                  ~ " means") %}
    {% endif %}
    {% for column, value in row.items() %}
        {% if column not in columns %}
            {% do say(place ~ "there is no `" ~ column ~ "`, only " ~ columns | join(', ')) %}
        {% elif value is none %}
        {% elif column in form.allowed %}
            {% if value not in form.allowed[column]
                or (value is boolean) != (form.allowed[column][0] is boolean) %}
                {% do say(place ~ column ~ " is '" ~ value ~ "': it must be one of "
                          ~ form.allowed[column] | join(', ') | lower) %}
            {% endif %}
        {% elif column == 'direction' %}
            {% if value != direction_of_kind(row.get('transaction_kind')) %}
                {% do say(place ~ "direction is '" ~ value ~ "', and that of a "
                          ~ row.get('transaction_kind') ~ " is "
                          ~ (direction_of_kind(row.get('transaction_kind')) or "the amount's sign")
                          ~ ": leave it out") %}
            {% endif %}
        {% elif column == 'valid_from' %}
            {% if not is_iso_timestamp(value ~ 'T00:00:00Z') %}
                {% do say(place ~ "valid_from is '" ~ value ~ "': it must be a day such as 2024-01-31") %}
            {% endif %}
        {% elif column in numbers %}
            {% if not is_number_within(value, 0, 1000000000) %}
                {% do say(place ~ column ~ " is '" ~ value ~ "': it must be a number of at least 0") %}
            {% endif %}
        {% elif column == 'tier_rank' %}
            {% if value is not integer or not is_number_within(value, 0, 1000000) %}
                {% do say(place ~ "tier_rank is '" ~ value ~ "': it must be a whole number") %}
            {% endif %}
        {% elif value is not string and not is_number_within(value, 0, 1000000000) %}
            {% do say(place ~ column ~ " is '" ~ value ~ "': it must be a name; put it in quotes") %}
        {% elif not value | string | trim %}
            {% do say(place ~ column ~ " is empty: it must be a name") %}
        {% endif %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}
