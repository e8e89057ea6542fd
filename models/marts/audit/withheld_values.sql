with withheld as (
    {%- for table, id, time in [
        ('enhancement_tasks', 'task_id', 'created_at'),
        ('credit_transactions', 'transaction_id', 'created_at'),
        ('user_credits', 'user_id', 'updated_at as created_at'),
        ('system_alerts', 'alert_id', 'created_at'),
    ] %}
    {%- if not loop.first %}

    union all
    {%- endif %}

    select
        '{{ table }}' as source_table,
        {{ id }} as row_id,
        withheld_columns,
        {{ time }}
    from {{ ref('stg_app__' ~ table) }}
    where withheld_columns is not null
    {%- endfor %}

),

final as (

    select
        {{ as_text('source_table') }} as source_table,
        {{ as_text('row_id') }} as row_id,
        {{ as_text('withheld_columns') }} as withheld_columns,
        created_at
    from withheld

)

select * from final
