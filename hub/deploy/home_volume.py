"""The volume that holds a person's home. Called by the spawner before each start.

It is made once, with the instance's labels (so that whoever cleans up a test finds it), and never removed by
the platform. Where the engine's storage has quotas (XFS with project quotas) it gets a limit; elsewhere the
engine refuses the option and the sum of a home's files is not limited, only the size of each
(container_options.py).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from docker.errors import APIError, NotFound

from hub.deploy.naming import INSTANCE_LABEL, KIND_LABEL, PERSON_LABEL, volume_name

if TYPE_CHECKING:
    import docker

    from hub.settings import Settings

log = logging.getLogger(__name__)


def ensure_home(client: docker.APIClient, settings: Settings, person: str) -> str:
    """Return the name of the person's volume, made if it isn't there.

    Raises:
        APIError: the engine refuses.
    """
    name = volume_name(settings, person)
    try:
        client.inspect_volume(name)
    except NotFound:
        _create(client, settings, person, name)
    return name


def _create(client: docker.APIClient, settings: Settings, person: str, name: str) -> None:
    labels = {INSTANCE_LABEL: settings.instance, KIND_LABEL: "home", PERSON_LABEL: person}
    try:
        client.create_volume(name, driver_opts={"size": str(settings.learner_disk)}, labels=labels)
    except APIError as error:
        # The engine says so in its own words, which change; without the limit it must work, or it is another
        # fault.
        log.info("The home of %s has no limit as a whole: %s", person, error.explanation)
        client.create_volume(name, labels=labels)
