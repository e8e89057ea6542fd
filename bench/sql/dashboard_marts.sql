-- The same questions to the marts. One statement each, named above it.
-- name: overview
select * from analytics.dashboard_overview;
-- name: provider breakdown
select * from analytics.monthly_provider_breakdown;
-- name: daily trend
select usage_date, sum(generations), sum(vendor_cost_usd) from analytics.daily_usage
where usage_date > ('{as_of}'::timestamptz - interval '30' day)::date
group by 1;
-- name: refunds
select month_start, refunds_issued, credits_refunded from analytics.monthly_success_rate;
-- name: health
select * from analytics.monthly_success_rate;
