{{ config(tags=['nightly']) }}

-- Read before anything else: the tests tell by it what the app changed while the run went on.
{{ counted_source_rows() }}
