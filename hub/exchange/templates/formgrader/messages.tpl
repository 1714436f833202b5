{% if mirror.away %}<div class="alert alert-warning" role="alert">{{ mirror.away }}</div>{% endif %}
<p><strong>{{ mirror.title }}</strong> · <a href="{{ courses_url }}">{{ say("other_course", language) }}</a></p>
<p>{{ say("formgrader_help", language) }}</p>
