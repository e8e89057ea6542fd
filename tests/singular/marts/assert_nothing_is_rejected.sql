-- Rejected rows are in no mart: look at them.
{{ config(severity='warn') }}

select * from {{ ref('rejected_rows') }}
