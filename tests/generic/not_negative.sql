{% test not_negative(model, column_name) %}
    {#- Fails for each row whose value is below 0. -#}
    select * from {{ model }}
    where {{ column_name }} < 0
{% endtest %}
