{%- set app = source_columns('system_alerts') -%}

with source as (

    select * from {{ source('app', 'system_alerts') }}

),

renamed as (

    select
        {{ clean_id(app, 'id') }} as alert_id,
        {{ clean_name(app.type) }} as alert_type,
        {{ clean_name(app.level) }} as level,
        {{ app.message }} as message,
        {{ app.created_at }} as created_at
    from source

)

select * from renamed
