-- Texts that are no names or ids are not shown: mend what writes them.
{{ config(severity='warn') }}

select * from {{ ref('withheld_values') }}
