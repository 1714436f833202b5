"""Atelier's trusted side beside JupyterHub: people, courses, submissions, progress and their pages."""
