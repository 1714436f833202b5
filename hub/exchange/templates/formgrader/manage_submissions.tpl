{%- extends "nbgrader/manage_submissions.tpl" -%}
{%- block messages -%}
{% include "messages.tpl" %}
{%- endblock -%}
