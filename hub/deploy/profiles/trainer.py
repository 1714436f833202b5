"""The container of a trainer: formgrader and Create Assignment beside JupyterLab, and memory for trying
exercises.

Formgrader is a page in a frame of JupyterLab: without leave to frame itself its tab stays blank. The leave is
for the trainer's own origin only; the hub's default is for nobody.
"""

from __future__ import annotations

from hub.deploy.profile import Profile
from hub.people.models import Role

PROFILE = Profile(
    name="trainer",
    roles=frozenset({Role.TRAINER}),
    memory_factor=1.5,
    server_args=(
        "--ServerApp.tornado_settings={'headers': {'Content-Security-Policy': \"frame-ancestors 'self'\"}}",
    ),
)
