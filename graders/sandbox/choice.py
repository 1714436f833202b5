"""Which way into a sandbox: the runtime directly where that is possible, the engine everywhere else.

Called by graders/grader.py and graders/command.py. Both ways have the same walls (bundle.py), so that the choice is one of
speed: the engine takes ten times what its runtime takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog

from graders.errors import EngineError, SandboxError
from graders.sandbox.docker import DockerSandboxRunner
from graders.sandbox.runc import RuncSandboxRunner

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger(__name__)


class Door(StrEnum):
    """The operator's wish."""

    AUTO = "auto"
    ENGINE = "engine"
    RUNC = "runc"


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How to start sandboxes.

    Attributes:
        image: the grader image.
        instance: prefix and label of every sandbox.
        folder: for what the runtime needs on disk.
        door: which way in; AUTO takes the runtime where that is possible.
        oci_runtime: another OCI runtime that the engine knows, such as runsc; it goes through the engine.
    """

    image: str
    instance: str
    folder: Path
    door: Door = Door.AUTO
    oci_runtime: str | None = None


def make_runner(config: SandboxConfig) -> DockerSandboxRunner | RuncSandboxRunner:
    """Return a runner of the kind that the configuration asks for.

    Raises:
        EngineError: the engine does not answer.
        SandboxError: RUNC was asked for and is not possible here.
    """
    if config.door is not Door.ENGINE and config.oci_runtime is None:
        try:
            return RuncSandboxRunner(config.image, config.instance, folder=config.folder)
        except EngineError:
            raise
        except SandboxError as error:
            if config.door is Door.RUNC:
                raise
            log.info("sandboxes_through_the_engine", why=str(error))
    return DockerSandboxRunner(config.image, config.instance, runtime=config.oci_runtime)
