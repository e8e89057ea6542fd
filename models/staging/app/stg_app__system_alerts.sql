{%- set app = source_columns('system_alerts') -%}

with source as (

    select * from {{ source('app', 'system_alerts') }}

),

renamed as (

    select
        {{ clean_id(app, 'id') }} as alert_id,
        {{ clean_name(app.type) }} as alert_type,
        {{ clean_name(app.level) }} as level,
        {{ scrub_text(app.message) | indent(8) }} as message,
        {{ app.created_at }} as created_at,
        {{ withheld_columns(app, names=['type', 'level'], ids=['id']) }} as withheld_columns
    from source

)

select * from renamed
