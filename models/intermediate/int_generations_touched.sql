-- depends_on: {{ ref('int_keys_touched') }}
{{ assemble_generations(none if reads_everything() else ref('int_keys_touched')) }}
