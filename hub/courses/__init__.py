"""Tracks, their exercises, the published versions of them, and who is enrolled."""
