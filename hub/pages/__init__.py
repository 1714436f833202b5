"""HTML pages: templates, static files and translations."""
