{%- extends "nbgrader/base.tpl" -%}
{#- Errors that the platform answers with are shown. -#}
{%- block script -%}
<script src="{{ atelier_static }}/marks.js"></script>
{%- endblock -%}
