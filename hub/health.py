"""Is the platform well: asked by set-up, by load balancers and by the operator. Says no secret, needs no sign-in."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.auth import ServicesDep
from hub.settings import Settings

router = APIRouter(tags=["health"])

WORKER_SILENT_S = 15
"""A worker writes its heartbeat every second or so; one that has been silent for this long is down."""


def worker_is_well(settings: Settings) -> bool:
    """Return whether the worker's heartbeat is fresh."""
    try:
        beat = (settings.state_dir / "run" / "worker.heartbeat").stat().st_mtime
    except OSError:
        return False
    return time.time() - beat < WORKER_SILENT_S


@router.get("/health")
def health(
    services: ServicesDep,
    response: Response,
    part: Annotated[
        Literal["service", "worker"], Query(description="which part must be well for a 200")
    ] = "service",
) -> dict[str, bool]:
    """Return which parts are well; 503 when the part asked for is not."""
    try:
        with services.database.reading() as session:
            session.execute(text("SELECT 1"))
        database = True
    except SQLAlchemyError:
        database = False
    parts = {"service": database, "worker": worker_is_well(services.settings)}
    if not parts[part]:
        response.status_code = 503
    return parts
