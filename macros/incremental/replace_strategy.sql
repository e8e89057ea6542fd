{% macro get_incremental_replace_sql(arguments) %}
    {#
        Incremental strategy `replace`: delete the rows that meet one of the model's
        `incremental_predicates`, then insert the new rows. Predicates are conditions on `target`,
        rendered now; empty ones are left out. Each has a DELETE of its own, for an OR would force a
        sequential scan. With a `unique_key`, a row that would come back with the same values, apart
        from `change_number`, stays where it is.
    #}
    {% set columns = arguments.dest_columns | map(attribute='quoted') | list %}
    {% set new_rows, target = arguments.temp_relation, arguments.target_relation %}
    {% set keys = config.get('unique_key') or [] %}
    {% set key = [keys] if keys is string else keys %}
    {% set values = columns | reject('equalto', adapter.quote('change_number')) | list %}
    {% set is_same -%}
        {% for column in key -%}
        new_row.{{ column }} = target.{{ column }} and
        {% endfor -%}
        (new_row.{{ values | join(', new_row.') }})
        is not distinct from (target.{{ values | join(', target.') }})
    {%- endset %}
    {%- for condition in rendered_predicates() %}
    {%- if key %}
    -- One look at both tells which rows go and which stay; each is then found by its place.
do $replace$
declare
    gone tid[];
    same tid[];
begin
    select
        array_agg(found.place) filter (where found.new_place is null),
        array_agg(found.new_place)
    into gone, same
    from (
        select
            target.ctid as place,
            new_row.ctid as new_place
        from {{ target }} as target
        left join {{ new_rows }} as new_row on {{ is_same }}
        where ({{ condition }})
    ) as found;
    delete from {{ target }} as target where target.ctid = any(gone);
    delete from {{ new_rows }} as new_row where new_row.ctid = any(same);
end
$replace$;
    {%- else %}
    delete from {{ target }} as target
    where ({{ condition }});
    {%- endif %}
    {% endfor %}

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from {{ new_rows }}
{% endmacro %}

{% macro rendered_predicates() %}
    {# The conditions of the model's `incremental_predicates`. A model without any is an error. #}
    {% set predicates = config.get('incremental_predicates') %}
    {% if not predicates %}
        {{ exceptions.raise_compiler_error(
            'the incremental strategy `replace` deletes the rows that meet incremental_predicates, and'
            ~ ' model ' ~ model.name ~ ' has none; nothing was written. Say in its config which rows of'
            ~ " `target` a run replaces, such as incremental_predicates=['true'] for all"
        ) }}
    {% endif %}
    {% set conditions = [] %}
    {% for predicate in predicates %}
        {% set condition = render(predicate) | trim %}
        {% if condition and condition != 'None' %}{% do conditions.append(condition) %}{% endif %}
    {% endfor %}
    {{ return(conditions) }}
{% endmacro %}
