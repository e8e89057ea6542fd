{%- set app = source_columns('credit_transactions') -%}

with app_row as (

    select * from {{ app_rows('credit_transactions', source('app', 'credit_transactions')) }}

),

renamed as (

    select
        {{ clean_id(app, 'id') }} as transaction_id,
        {{ clean_id(app, 'user_id') }} as user_id,
        {{ clean_name(app.transaction_type) }} as transaction_type,
        {{ exact_decimal(app.credits_used) }} as app_credits,
        {{ exact_decimal('abs(' ~ app.credits_used ~ ')') }} as credits,
        {{ app.cost_usd }} as app_cost_usd,
        {{ exact_decimal(clean_cost(app.cost_usd)) }} as cost_usd,
        {{ clean_name(app.provider) }} as provider,
        {{ clean_name(app.enhancement_type) }} as enhancement_type,
        {{ clean_id(app, 'api_request_id') }} as api_request_id,
        {{ clean_name(app.status) }} as status,
        {{ app.created_at }} as created_at,
        {{ withheld_columns(
            app, names=['transaction_type', 'provider', 'enhancement_type', 'status'],
            ids=['id', 'user_id', 'api_request_id']
        ) }} as withheld_columns,
        {{ row_digest('row(' ~ app.names | join(', ') ~ ')') }} as row_digest
    from app_row

){% if 'id' in app.absent %},

{#- Without an id a row is known by its content, and by its number among rows of the same content. #}
hashed as (

    select
        *,
        {{ dbt.hash(dbt.concat([
            "coalesce(user_id, '')", "'|'", "coalesce(transaction_type, '')", "'|'",
            'coalesce(' ~ as_text('app_credits') ~ ", '')", "'|'",
            'coalesce(' ~ as_text('app_cost_usd') ~ ", '')",
            "'|'", "coalesce(provider, '')", "'|'", "coalesce(enhancement_type, '')", "'|'",
            "coalesce(api_request_id, '')", "'|'",
            'coalesce(' ~ as_text(unix_seconds('created_at')) ~ ", '')",
        ])) }} as content_hash
    from renamed

),

identified as (

    select
        {{ dbt.concat([
            'content_hash', "'-'",
            as_text('row_number() over (partition by content_hash order by status nulls last)'),
        ]) }} as transaction_id,
        user_id,
        transaction_type,
        app_credits,
        credits,
        app_cost_usd,
        cost_usd,
        provider,
        enhancement_type,
        api_request_id,
        status,
        created_at,
        withheld_columns,
        row_digest
    from hashed

)

select * from identified
{%- else %}

select * from renamed
{%- endif %}
