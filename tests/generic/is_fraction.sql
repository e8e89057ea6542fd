{% test is_fraction(model, column_name) %}
    {#- Fails for each row whose value is not between 0 and 1. -#}
    select * from {{ model }}
    where {{ column_name }} < 0 or {{ column_name }} > 1
{% endtest %}
