"""The container of a learner, and of a mentor who tries an exercise: JupyterLab with the Assignment List."""

from __future__ import annotations

from hub.deploy.profile import Profile
from hub.people.models import Role

PROFILE = Profile(name="learner", roles=frozenset({Role.LEARNER, Role.MENTOR}))
