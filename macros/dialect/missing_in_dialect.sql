{% macro missing_in_dialect(what) %}
    {# What a `default__` macro says where no standard SQL does what PostgreSQL's own does. #}
    {{ exceptions.raise_compiler_error(
        'paygen cannot ' ~ what ~ ' on ' ~ target.type ~ ': write that macro for it, `' ~ target.type
        ~ '__...`, in macros/dialect/'
    ) }}
{% endmacro %}
