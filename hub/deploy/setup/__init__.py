"""The set-up: from a bare Debian machine to a running, tested platform, and back down.

Constraints: standard library only, because it runs before the venv exists; of `hub` it imports nothing but
this package. It reads a few `ATELIER_` variables itself (places.py); the platform's real settings it asks
the venv for (platform.py). recipes.py is the table of contents: `up`, `down`, `test` and `check` as lists
of steps, each of which looks before it acts and can be repeated. Every outside tool has one module.
"""
