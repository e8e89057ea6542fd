-- Who is owed a refund? Failures that were charged and not, or not fully, refunded.
with findings as (

    select * from {{ ref('credit_audit_findings') }}
    where finding_type in ('failed_not_refunded', 'under_refund')

),

generations as (

    select * from {{ ref('fct_generations') }}
    where status = 'failed'

),

final as (

    select
        findings.user_id,
        findings.generation_id,
        findings.finding_type,
        generations.created_at,
        generations.provider,
        findings.credits_at_stake as credits_owed
    from findings
    inner join generations on findings.generation_id = generations.generation_id

)

select * from final
order by created_at, generation_id
