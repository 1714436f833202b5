"""Grading: a submission in, a result out. Knows nothing of hub."""
