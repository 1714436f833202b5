{%- extends "nbgrader/manage_assignments.tpl" -%}
{%- block messages -%}
{% include "messages.tpl" %}
{%- endblock -%}
