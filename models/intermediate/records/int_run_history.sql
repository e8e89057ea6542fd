{{ config(
    indexes=[
        {'columns': ['invocation_id'], 'unique': true},
        {'columns': ['started_at']},
    ],
) }}

-- Its rows are written by `begin_run` and `end_run`; no query can make them again.
select
    {{ as_text('null') }} as invocation_id,
    {{ as_text('null') }} as command,
    {{ as_text('null') }} as selector,
    {{ as_text('null') }} as selection,
    cast(null as boolean) as is_full_refresh,
    {{ as_text('null') }} as code_version,
    {{ as_text('null') }} as status,
    cast(null as {{ type_timestamptz() }}) as started_at,
    cast(null as {{ type_timestamptz() }}) as ended_at,
    cast(null as integer) as nodes,
    cast(null as integer) as failed_nodes,
    {{ as_text('null') }} as failed_names,
    cast(null as bigint) as repaired_rows,
    cast(null as bigint) as written_rows
where false
