{%- set app = source_columns('system_alerts') -%}

with app_row as (

    select * from {{ app_rows('system_alerts', source('app', 'system_alerts')) }}

),

renamed as (

    select
        {{ clean_id(app, 'id') }} as alert_id,
        {{ clean_name(app.type) }} as alert_type,
        {{ clean_name(app.level) }} as level,
        {{ scrub_text(app.message) | indent(8) }} as message,
        {{ app.created_at }} as created_at,
        {{ withheld_columns(app, names=['type', 'level'], ids=['id']) }} as withheld_columns
    from app_row

)

select * from renamed
