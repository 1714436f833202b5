"""A real worker over the grading double, as a program of its own, so that tests can kill it.

    python -m tests.doubles.worker_process STATE_DIR DATABASE_URL LOG [STEP COUNT]

With STEP it kills itself with SIGKILL when that step is done for the COUNT-th time.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path


def main(state_dir: str, url: str, log: str, step: str = "", count: str = "1") -> None:
    """Run until SIGTERM."""
    # Imported here: each grading process imports this module again, and needs none of it.
    from graders.job_run import Steps
    from graders.worker import run_worker
    from hub.db import Database
    from hub.settings import Settings
    from tests.doubles.grading import open_double
    from tests.doubles.platform import make_platform

    settings = Settings(state_dir=Path(state_dir), database_url=url, instance="ateliertest-worker")
    platform = make_platform(settings, Database(url))
    left = int(count)

    def done(name: str) -> None:
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    run_worker(
        platform.submissions,
        partial(open_double, Path(log)),
        database_url=url,
        worker_id="worker-1",
        run_dir=settings.state_dir / "run",
        slots=2,
        stop_grace_s=10,
        patience_s=60,
        steps=Steps(done),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
