with usage as (

    select * from {{ ref('int_usage_by_provider_day') }}

),

forecasts as (

    select
        *,
        cast(
            {{ dbt.dateadd('month', -1, dbt.date_trunc('month', 'forecast_date')) }} as date
        ) as last_whole_month
    from {{ ref('int_costs_forecast') }}
    where
        not is_current
        and forecast_status = 'ok'
        and month_start < {{ reporting_month(as_of()) }}

),

usage_by_month as (

    select
        provider,
        {{ month_of('usage_date') }} as month_start,
        sum(generations) as generations,
        sum(vendor_cost_usd) as vendor_cost_usd
    from usage
    group by 1, 2

),

actuals as (

    select
        provider,
        month_start,
        generations,
        vendor_cost_usd
    from usage_by_month

    union all

    select
        'all' as provider,
        month_start,
        sum(generations) as generations,
        sum(vendor_cost_usd) as vendor_cost_usd
    from usage_by_month
    group by 2

),

compared as (
    {%- for name, unit in {'vendor_cost': '_usd', 'generations': ''}.items() %}
    {%- if not loop.first %}

    union all
    {%- endif %}

    select
        forecasts.forecast_date,
        forecasts.elapsed_days,
        forecasts.provider,
        forecasts.month_start,
        forecasts.horizon_months,
        '{{ name }}{{ unit }}' as measure,
        forecasts.{{ name }}{{ unit }} as forecast,
        forecasts.{{ name }}_lower_80{{ unit }} as lower_80,
        forecasts.{{ name }}_upper_80{{ unit }} as upper_80,
        forecasts.{{ name }}_lower_95{{ unit }} as lower_95,
        forecasts.{{ name }}_upper_95{{ unit }} as upper_95,
        forecasts.{{ name }}_to_date{{ unit }} as to_date,
        actuals.{{ name }}{{ unit }} as actual,
        earlier.{{ name }}{{ unit }} as naive_last_month
    from forecasts
    inner join actuals
        on
            forecasts.provider = actuals.provider
            and forecasts.month_start = actuals.month_start
    left join actuals as earlier
        on
            forecasts.provider = earlier.provider
            and forecasts.last_whole_month = earlier.month_start
    {%- endfor %}

),

final as (

    select
        forecast_date,
        provider,
        month_start,
        horizon_months,
        measure,
        cast(forecast as numeric(18, 4)) as forecast,
        cast(actual as numeric(18, 4)) as actual,
        cast(forecast - actual as numeric(18, 4)) as error,
        cast({{ safe_divide('(forecast - actual)', 'actual') }} as numeric(18, 6)) as error_rate,
        actual between lower_80 and upper_80 as is_within_80,
        actual between lower_95 and upper_95 as is_within_95,
        cast(naive_last_month as numeric(18, 4)) as naive_last_month,
        cast(
            case
                when horizon_months = 0 and elapsed_days > 0
                    then {{ quotient('to_date', as_decimal('elapsed_days')) }}
                        * {{ days_in_month('month_start') }}
            end as numeric(18, 4)
        ) as naive_current_pace
    from compared

)

select * from final
