{#-
    What a run on Spark need not write again. The rows of these models lie in tables partitioned by the
    month of `created_at` in UTC. A run finds the months in which the app's rows changed, computes the
    rows of the users whose rows they are, and writes the months in which those differ. All other months
    stay where an earlier run wrote them, and the version is a view of both.
#}
{% macro carried_models() %}
    {#
        By model, what its rows are found by: `month` where each is made of one row of the app; the id of
        one, of which there may be copies; or the user, whose charges and refunds are matched with one
        another. None that is found by the user is built before all the others are.
    #}
    {{ return({
        'stg_app__enhancement_tasks': 'month',
        'stg_app__credit_transactions': 'month',
        'int_tasks_cleaned': 'task_id',
        'int_ledger_classified': 'transaction_id',
        'int_ledger_synced': 'transaction_id',
        'int_bare_charges_matched': 'user_id',
        'int_generations_touched': 'user_id',
        'int_refunds_matched': 'user_id',
        'fct_generations': 'user_id',
    }) }}
{% endmacro %}

{% macro carries_over() %}
    {#
        Whether this run carries months over: it builds all of these models, the last one did and its
        tables are there, and what they are made by is the same. A cost of the vendor's statement may be
        of any user's generation.
    #}
    {% set known = run_memory('what is carried over') %}
    {% if 'is_on' in known %}{{ return(known.is_on) }}{% endif %}
    {% set is_on = namespace(
        value=not is_trial() and not flags.FULL_REFRESH and var('vendor_cost_basis') != 'statement'
    ) %}
    {% set versions = [] %}
    {% for name in carried_models() if is_on.value %}
        {% set node = node_named('model', name) %}
        {% set relation = api.Relation.create(none, node.schema, node.alias) %}
        {% set noted = noted_of(published_relation(relation)) %}
        {% set months = fromjson(noted.get('paygen.months', '{}')) %}
        {% set is_on.value = (
            node.unique_id in selected_resources
            and noted.get('paygen.fingerprint') == carried_fingerprint()
            and are_there(relation, months)
        ) %}
        {% do versions.append(noted.get('paygen.version', '')[-20:]) %}
        {% do known.update({name: months, 'as_of': noted.get('paygen.as_of')}) %}
    {% endfor %}
    {% do known.update({'is_on': is_on.value and versions | unique | list | length == 1}) %}
    {{ return(known.is_on) }}
{% endmacro %}

{% macro are_there(relation, months) %}
    {# Whether all tables of the months of a version are there. #}
    {% set missing = [] %}
    {% for run in months if not load_relation(table_of_months(relation, run)) %}
        {% do missing.append(run) %}
    {% endfor %}
    {{ return(not missing) }}
{% endmacro %}

{% macro table_of_months(relation, run) %}
    {# The table of the months that a run wrote of a model. #}
    {{ return(published_relation(relation).incorporate(
        path={'identifier': relation.identifier ~ '__m' ~ run}
    )) }}
{% endmacro %}

{% macro is_trial() %}
    {{ return(flags.EMPTY or invocation_args_dict.get('sample') is not none) }}
{% endmacro %}

{% macro carried_fingerprint() %}
    {#
        A text that changes with all that the rows are made by, but for the app's rows. Of a seed that
        this run does not load those are not the rows of its file, but the ones that it reads.
    #}
    {% set known = run_memory('what months are made by') %}
    {% if 'fingerprint' in known %}{{ return(known.fingerprint) }}{% endif %}
    {% set parts = [run_fingerprint(), tojson(history_settings()), history_start()] %}
    {% for table in ['enhancement_tasks', 'credit_transactions'] %}
        {% do parts.append(find_source_columns(table).expressions) %}
    {% endfor %}
    {% set parents = [] %}
    {% for name in carried_models() %}
        {% do parents.extend(node_named('model', name).depends_on.nodes) %}
    {% endfor %}
    {% for node in nodes_of_types(['seed']) if node.unique_id in parents %}
        {% set noted = noted_of(api.Relation.create(none, node.schema, node.alias)) %}
        {% set is_loaded = node.unique_id in selected_resources %}
        {% do parts.append(node.checksum.checksum if is_loaded else noted.get('paygen.checksum', '')) %}
    {% endfor %}
    {% do known.update({'fingerprint': local_md5(parts | join)}) %}
    {{ return(known.fingerprint) }}
{% endmacro %}

{% macro write_months(query) %}
    {#
        Write the months of a model's rows that differ from those that readers have, or all. Answers the
        months of the new version, as a dict: number of the run that wrote them -> list of months.
    #}
    {% set before = run_memory('what is carried over').get(model.name) if carries_over() %}
    {% if not before %}
        {% set table = create_months('select * from (' ~ as_declared(query) ~ ') as model_rows') %}
        {{ return({run_number(): months_in(table)}) }}
    {% endif %}
    {% set found_by = carried_models()[model.name] %}
    {% set columns = columns_of_months(this, before) %}
    {% set new_rows = {'sql': 'select * from (' ~ as_declared(query) ~ ') as model_rows'} %}
    {% set old_rows = {'sql': rows_of_months(this, before)} %}
    {% if found_by == 'month' %}
        {% set digest = 'row_digest' %}
    {% else %}
        {% set digest = row_checksum(columns | join(', ')) %}
        {% set keys = changed_keys(found_by) %}
        {% if not carries_over() %}{{ return(write_months(query)) }}{% endif %}
        {% if keys %}
            {% set computed = part_of_run(this, 'd') %}
            {% do run_query(
                'create table ' ~ computed ~ ' using parquet as ' ~ as_declared(of_keys(query, keys))
            ) %}
            {% do new_rows.update({'sql': 'select * from ' ~ computed}) %}
            {% do old_rows.update({
                'sql': old_rows.sql ~ ' where ' ~ is_of_keys(found_by, keys)
            }) %}
        {% endif %}
    {% endif %}
    {% set months = [] %}
    {% if found_by == 'month' or keys %}
        {% do months.extend(run_query(
            differing_months(old_rows.sql, new_rows.sql, digest)
        ).columns[0].values()) %}
    {% endif %}
    {% do run_memory('changed months').update({model.name: months}) %}
    {% do log(
        model.name ~ ': ' ~ months | length ~ ' month(s) written anew'
        ~ (', ' ~ months | min ~ ' to ' ~ months | max if months else ''), info=true
    ) %}
    {% if not months %}{{ return(before) }}{% endif %}
    {% set is_written = month_key('created_at') ~ ' in (' ~ literals_of(months) ~ ')' %}
    {% set rows = ['select * from (' ~ new_rows.sql ~ ') as new_rows where ' ~ is_written] %}
    {% if found_by != 'month' %}
        {% set kept = rows_of_months(this, before, months) %}
        {% do rows.append(
            'select * from (' ~ kept ~ ') as kept where not ' ~ is_of_keys(found_by, keys)
        ) %}
    {% endif %}
    {% set table = create_months(rows | join(' union all ')) %}
    {% set after = {} %}
    {% for run, run_months in before.items() %}
        {% set left = run_months | reject('in', months) | list %}
        {% do after.update({run: left}) if left %}
    {% endfor %}
    {% do after.update({run_number(): months_in(table)}) %}
    {{ return(after) }}
{% endmacro %}

{% macro create_months(rows) %}
    {# Write rows into a new table of the current model, by month. #}
    {% set table = part_of_run(this, 'm') %}
    {% do run_query(
        'create table ' ~ table ~ ' using parquet partitioned by (paygen_month) as'
        ~ ' select /*+ rebalance(paygen_month) */ * from ('
        ~ 'select *, ' ~ month_key('created_at') ~ ' as paygen_month from (' ~ rows ~ ') as model_rows'
        ~ ') as rows_of_months'
    ) %}
    {{ return(table) }}
{% endmacro %}

{% macro month_key(column) -%}
    {#- The month of a time. Times of bad clocks, and rows without one, share a month. -#}
    case
        when {{ column }} >= timestamp'2000-01-01' and {{ column }} < timestamp'2100-01-01'
            then date_format({{ column }}, 'yyyy-MM')
        else 'other'
    end
{%- endmacro %}

{% macro months_in(table) %}
    {# The months that a table of months has rows of. #}
    {% set months = [] %}
    {% for partition in run_query('show partitions ' ~ table).columns[0].values() %}
        {% do months.append(partition.split('=')[1]) %}
    {% endfor %}
    {{ return(months) }}
{% endmacro %}

{% macro drop_months(table, without) %}
    {# Drop the months of a table of months, but for some. #}
    {% for month in months_in(table) if month not in without %}
        {% do run_query('alter table ' ~ table ~ " drop if exists partition (paygen_month = '" ~ month ~ "')") %}
    {% endfor %}
{% endmacro %}

{% macro rows_of_months(relation, months, only=none) %}
    {#- A query of a model's rows in the months of a version, or in some of them. -#}
    {%- set parts, columns = [], columns_of_months(relation, months) -%}
    {%- for run, run_months in months.items() -%}
        {%- set read = run_months | select('in', only) | list if only else run_months -%}
        {%- do parts.append(
            'select ' ~ columns | join(', ') ~ ' from ' ~ table_of_months(relation, run)
            ~ ' where ' ~ ('paygen_month in (' ~ literals_of(read) ~ ')' if read else 'false')
        ) -%}
    {%- endfor -%}
    {{ return('select * from (' ~ parts | join(' union all ') ~ ') as rows_of_months') }}
{% endmacro %}

{% macro columns_of_months(relation, months) %}
    {# The names of a model's columns, asked of a table of its months. #}
    {% set known = run_memory('columns of months') %}
    {% set table = table_of_months(relation, months | first) %}
    {% if table | string not in known %}
        {% set columns = adapter.get_columns_in_relation(table) | map(attribute='name') %}
        {% do known.update({table | string: columns | reject('eq', 'paygen_month') | list}) %}
    {% endif %}
    {{ return(known[table | string]) }}
{% endmacro %}

{% macro literals_of(texts) %}
    {% set literals = [] %}
    {% for text in texts %}{% do literals.append(text_literal(text)) %}{% endfor %}
    {{ return(literals | join(', ')) }}
{% endmacro %}

{% macro differing_months(old_rows, new_rows, digest) -%}
    {#- A query of the months in which two queries do not have the same rows. -#}
    select paygen_month
    from (
        select {{ month_key('created_at') }} as paygen_month, -1 as side, {{ digest }} as row_hash
        from ({{ old_rows }}) as old_rows
        union all
        select {{ month_key('created_at') }} as paygen_month, 1 as side, {{ digest }} as row_hash
        from ({{ new_rows }}) as new_rows
    ) as both_sides
    group by 1
    having sum(side) <> 0 or sum(side * row_hash) <> 0
    order by 1
{%- endmacro %}

{% macro is_of_keys(column, keys) -%}
    coalesce({{ column }}, '') in (select keys.key_value from {{ keys }} as keys)
{%- endmacro %}

{% macro of_keys(query, keys) %}
    {#
        A query of a model with what it reads of `carried_models` cut to the rows of some keys. Of models
        that are found by the same keys, those are what the run computed.
    #}
    {% set cut = namespace(query=query) %}
    {% set found_by = carried_models()[model.name] %}
    {% for name in carried_models() %}
        {% set node = node_named('model', name) %}
        {% set relation = api.Relation.create(none, node.schema, node.alias) %}
        {% if carried_models()[name] == found_by %}
            {% set rows = part_of_run(relation, 'd') | string %}
        {% else %}
            {% set rows = '(select * from ' ~ relation ~ ' where ' ~ is_of_keys(found_by, keys) ~ ')' %}
        {% endif %}
        {% set cut.query = modules.re.sub(
            '(?<![A-Za-z0-9_.])' ~ modules.re.escape(relation | string) ~ '(?![A-Za-z0-9_])',
            rows | replace('\\', '\\\\'), cut.query
        ) if node.unique_id in model.depends_on.nodes else cut.query %}
    {% endfor %}
    {{ return(cut.query) }}
{% endmacro %}

{% macro changed_keys(found_by) %}
    {# A table of the keys whose rows may differ, `''` for those without one; none where there are none. #}
    {% set known = run_memory('changed keys') %}
    {% if found_by not in known %}
        {% set keys = changed_users() if found_by == 'user_id' else write_keys(changed_ids(found_by)) %}
        {% do known.update({found_by: keys}) %}
    {% endif %}
    {{ return(known[found_by]) }}
{% endmacro %}

{% macro write_keys(query, number='') %}
    {% set keys = part_of_run(this, 'k') %}
    {% set keys = keys.incorporate(path={'identifier': keys.identifier ~ number}) %}
    {% do run_query('create table ' ~ keys ~ ' using parquet as ' ~ query) %}
    {{ return(keys if run_query('select count(*) from ' ~ keys).columns[0].values()[0] else none) }}
{% endmacro %}

{% macro changed_ids(id) %}
    {#-
        A query of the ids of the app's rows that came, went or differ since the last run, and of those
        that its `as_of` and this one's do not both see.
    -#}
    {%- set name = {
        'task_id': 'stg_app__enhancement_tasks', 'transaction_id': 'stg_app__credit_transactions'
    }[id] -%}
    {%- set node = node_named('model', name) -%}
    {%- set relation = api.Relation.create(none, node.schema, node.alias) -%}
    {%- set before = run_memory('what is carried over') -%}
    {#- What nobody noted must not pass for nothing that changed. -#}
    {%- set months = run_memory('changed months').pop(name) -%}
    {%- set times = [before.as_of, as_of()] | join(', ') -%}
    select coalesce({{ id }}, '') as key_value
    from {{ relation }}
    where created_at > least({{ times }}) and created_at <= greatest({{ times }})
    {%- if months %}
    union
    select key_value
    from (
        select coalesce({{ id }}, '') as key_value, -1 as side, row_digest
        from ({{ rows_of_months(relation, before[name], months) }}) as old_rows
        union all
        select coalesce({{ id }}, '') as key_value, 1 as side, row_digest
        from {{ relation }}
        where {{ month_key('created_at') }} in ({{ literals_of(months) }})
    ) as both_sides
    group by 1
    having sum(side) <> 0 or sum(side * row_digest) <> 0
    {%- endif -%}
{% endmacro %}

{% macro changed_users() %}
    {#
        A table of the users of those rows, and of all who share an id with one of them, by whatever
        rows: what is computed of them is what it would be with all others. Users who share ids with
        users, and those with users, are followed five times; beyond, the run writes all months.
    #}
    {% set parts, links = [], [] %}
    {% for name, ids in {
        'int_tasks_cleaned': ['task_id'], 'int_ledger_classified': ['transaction_id', 'generation_id'],
    }.items() %}
        {% set node = node_named('model', name) %}
        {% set relation = api.Relation.create(none, node.schema, node.alias) %}
        {% set rows, keys = [relation | string], run_memory('changed keys').pop(ids[0]) %}
        {% if keys %}
            {% set before = rows_of_months(relation, run_memory('what is carried over')[name]) %}
            {% set is_changed = ' where ' ~ is_of_keys(ids[0], keys) %}
            {% do rows.append('(' ~ before ~ is_changed ~ ')') %}
            {% do parts.append('select user_id from ' ~ relation ~ is_changed) %}
            {% do parts.append('select user_id from ' ~ rows[1]) %}
        {% endif %}
        {% for each in rows %}
            {% for id in ids %}
                {% do links.append(
                    "select coalesce(user_id, '') as key_value, " ~ id ~ ' as id from ' ~ each
                    ~ ' where ' ~ id ~ ' is not null'
                ) %}
            {% endfor %}
        {% endfor %}
    {% endfor %}
    {% if not parts %}{{ return(none) }}{% endif %}
    {% set found = [write_keys(
        "select distinct coalesce(user_id, '') as key_value from (" ~ parts | join(' union all ') ~ ')', 0
    )] %}
    {% set links = links | join(' union all ') %}
    {% for step in range(1, 6) if found[-1] %}
        {% do found.append(write_keys(
            'select distinct key_value from (' ~ links ~ ') as links where id in (select linked.id from ('
            ~ links ~ ') as linked where linked.key_value in (select key_value from ' ~ found[-1]
            ~ ')) and key_value not in (' ~ keys_of(found) ~ ')', step
        )) %}
    {% endfor %}
    {% if found[-1] %}{% do run_memory('what is carried over').update({'is_on': false}) %}{% endif %}
    {{ return(none if found[-1] or not found[0] else write_keys(keys_of(found[:-1]))) }}
{% endmacro %}

{% macro keys_of(tables) %}
    {% set parts = [] %}
    {% for keys in tables %}{% do parts.append('select key_value from ' ~ keys) %}{% endfor %}
    {{ return(parts | join(' union all ')) }}
{% endmacro %}
