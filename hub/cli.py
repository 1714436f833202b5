"""The `atelier` command: the one place that wires the grading pipeline to the platform.

Every command imports what it needs when it runs, so that `atelier --help` is quick and a broken corner breaks only itself.
Exit codes: 0 done, 1 findings or a failed check, 2 wrong usage or unusable input, 3 the platform failed.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.settings import get_settings

if TYPE_CHECKING:
    from hub.service import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
network = typer.Typer(no_args_is_help=True, help="The learners' closed network.")
exercise = typer.Typer(no_args_is_help=True, help="For authors of exercises.")
app.add_typer(network, name="network")
app.add_typer(exercise, name="exercise")


def _services() -> Services:
    from hub.service import make_services

    return make_services(get_settings())


@contextlib.contextmanager
def _readable_errors() -> Iterator[None]:
    """Turn what the platform says went wrong into one line and exit code 2 or 3."""
    from hub.errors import AtelierError

    try:
        yield
    except AtelierError as error:
        print(f"atelier: {error}", file=sys.stderr)
        raise typer.Exit(3 if error.status >= 500 else 2) from error


@app.command()
def setup_database() -> None:
    """Bring the database up to date, publish the exercises and make the demo people (set-up calls this)."""
    from graders.queue import GradingQueue
    from hub import migrations
    from hub.courses.catalogue import Published, publish_catalogue
    from hub.db import Database
    from hub.people.demo import ensure_demo_people
    from hub.platform_file import write_platform_file

    settings = get_settings()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.effective_database_url)
    migrations.upgrade(database)
    database.close()
    services = _services()
    GradingQueue(services.database.engine).ensure()

    def tell(published: Published) -> None:
        print(f"{published.track}/{published.slug}: version {published.version}")

    publish_catalogue(services.courses, settings.exercises_dir, tell)
    if settings.demo:
        outcome = ensure_demo_people(services.people, services.courses, settings)
        if outcome.advice:
            print(outcome.advice)
    write_platform_file(settings)


@app.command()
def service() -> None:
    """Run the Atelier service on the learner network's gateway address."""
    import uvicorn

    settings = get_settings()
    uvicorn.run(
        "hub.service:application",
        factory=True,
        host=settings.gateway,
        port=settings.service_port,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )


@app.command()
def worker() -> None:
    """Run a grading worker until it is told to stop."""
    from functools import partial

    from graders.grader import GraderConfig, open_grader
    from graders.worker import run_worker
    from hub.log import configure_logging

    configure_logging()
    settings = get_settings()
    services = _services()
    config = GraderConfig(
        image=settings.grader_image,
        instance=settings.instance,
        courses_dir=settings.courses_dir,
        recipes_dir=settings.state_dir / "recipes",
        pool_size=settings.worker_pool,
    )
    run_worker(
        services.submissions,
        partial(open_grader, config),
        database_url=settings.effective_database_url,
        worker_id=settings.worker_id,
        run_dir=settings.state_dir / "run",
        slots=settings.worker_slots,
    )


@app.command()
def publish(folder: Annotated[Path, typer.Argument(help="exercises/, or a folder laid out like it")]) -> None:
    """Publish every track of a folder; what has not changed stays the same version."""
    from hub.courses.catalogue import publish_catalogue

    with _readable_errors():
        for published in publish_catalogue(_services().courses, folder):
            print(f"{published.track}/{published.slug}: version {published.version}")


@app.command()
def grade(
    source_dir: Annotated[Path, typer.Argument(help="an nbgrader source folder")],
    submission_dir: Annotated[Path, typer.Argument(help="what a learner handed in")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Grade one submission through the whole sandboxed pipeline, without a running platform."""
    from graders.command import grade_command

    settings = get_settings()
    code, result = grade_command(source_dir, submission_dir, image=settings.grader_image, instance=settings.instance)
    if as_json:
        print(json.dumps(result))
    else:
        _print_result(result)
    raise typer.Exit(code)


@network.command("up")
def network_up() -> None:
    """Make the closed network and its guard where they are missing."""
    from hub.deploy.network import ensure_network

    with _readable_errors():
        ensure_network(get_settings())


@network.command("down")
def network_down() -> None:
    """Take the closed network away. Homes stay."""
    from hub.deploy.network import remove_network

    with _readable_errors():
        remove_network(get_settings())
