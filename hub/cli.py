"""The `atelier` command: the one place that wires the grading pipeline to the platform.

Every command imports what it needs when it runs, so that `atelier --help` is quick and a broken corner breaks only itself.
Exit codes: 0 done, 1 findings or a failed check, 2 wrong usage or unusable input, 3 the platform failed.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from graders.sandbox.choice import SandboxConfig
    from hub.courses.exercise_finding import Finding
    from hub.service import Services

UNUSABLE, PLATFORM_FAILED = 2, 3

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
network = typer.Typer(no_args_is_help=True, help="The learners' closed network.")
exercise = typer.Typer(no_args_is_help=True, help="For authors of exercises.")
bench = typer.Typer(no_args_is_help=True, help="Measurements, side by side with what we compare with.")
app.add_typer(network, name="network")
app.add_typer(bench, name="bench")
demo = typer.Typer(no_args_is_help=True, help="The demo people.")
app.add_typer(demo, name="demo")
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
        raise typer.Exit(PLATFORM_FAILED if error.status >= 500 else UNUSABLE) from error  # noqa: PLR2004 - HTTP


def _sandbox_config() -> SandboxConfig:
    from graders.sandbox.choice import Door, SandboxConfig

    settings = get_settings()
    return SandboxConfig(
        image=settings.grader_image,
        instance=settings.instance,
        folder=settings.state_dir / "run" / "sandboxes",
        door=Door(settings.sandbox_door),
        oci_runtime=settings.sandbox_runtime or None,
    )


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
        sandbox=_sandbox_config(),
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


@app.command(hidden=True)
def build_exercise(course: str, slug: str, folder: Path) -> None:
    """Build an exercise that is being published; the service starts this in a process of its own."""
    from graders.errors import GradingError
    from graders.publish import make_release
    from hub.courses.build import run_build

    run_build(course, slug, folder, make_release, GradingError)


@app.command()
def grade(
    source_dir: Annotated[Path, typer.Argument(help="an nbgrader source folder")],
    submission_dir: Annotated[Path, typer.Argument(help="what a learner handed in")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
) -> None:
    """Grade one submission through the whole sandboxed pipeline, without a running platform."""
    from graders.command import grade_command
    from graders.sandbox.choice import make_runner

    config = _sandbox_config()
    code, result = grade_command(
        source_dir,
        submission_dir,
        image=config.image,
        instance=config.instance,
        open_sandbox=lambda: make_runner(config),
    )
    if as_json:
        print(json.dumps(result))
    else:
        _print_result(result)
    raise typer.Exit(code)


@demo.command("reset")
def demo_reset() -> None:
    """Give every demo person a new password and write the file anew."""
    from hub.people.demo import reset_demo_people

    with _readable_errors():
        print(reset_demo_people(_services().people, get_settings()))


@app.command()
def screenshots(
    into: Annotated[Path, typer.Argument(help="where the pictures go")] = Path("docs/images"),
    language: Annotated[str, typer.Option(help="en, fr or nl; by default each person's own")] = "",
) -> None:
    """Take a picture of every page of the running platform, desktop and phone."""
    from hub.pages.screenshots import take_screenshots

    with _readable_errors():
        for path in take_screenshots(get_settings(), into, language):
            print(path)


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


@exercise.command("check")
def exercise_check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="exercise folders; all of exercises/ by default")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
    repeats: Annotated[int, typer.Option(min=1, max=10, help="how often each answer is graded")] = 3,
) -> None:
    """Prove exercises: every model answer gets the score its author declared, and nothing leaks."""
    from hub.courses.exercise_finding import Severity
    from hub.courses.publishing import exercise_folders

    with _readable_errors():
        roots = paths or [get_settings().exercises_dir]
        folders = [folder for root in roots for folder in exercise_folders(root)]
    if not folders:
        print("atelier: there is no exercise there", file=sys.stderr)
        raise typer.Exit(2)
    findings = _check_exercises(folders, repeats=repeats, quiet=as_json)
    if as_json:
        print(
            json.dumps({name: [finding.to_json() for finding in found] for name, found in findings.items()})
        )
    else:
        _print_findings(findings)
    failed = any(finding.severity is Severity.ERROR for found in findings.values() for finding in found)
    raise typer.Exit(1 if failed else 0)


@bench.command("spawn")
def bench_spawn_command(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")] = False,
    runs: Annotated[int, typer.Option(min=1, max=50, help="counted runs of each side")] = 5,
) -> None:
    """Time from the click in the hub to JupyterLab's launcher, beside a bare container."""
    from hub.deploy.spawn_bench import bench_spawn

    with _readable_errors():
        times = bench_spawn(get_settings(), runs=runs, tell=lambda line: print(line, file=sys.stderr))
    found = times.to_json()
    print(
        json.dumps(found)
        if as_json
        else f"bare {found['bare_s']} s, hub {found['hub_s']} s, ratio {found['ratio']}"
    )


def _check_exercises(folders: list[Path], *, repeats: int, quiet: bool) -> dict[str, list[Finding]]:
    """Check folder after folder, the answers of each side by side, with a progress bar on stderr."""
    import tempfile
    from functools import partial

    from rich.console import Console
    from rich.progress import Progress

    from graders.command import grade_command
    from graders.sandbox.choice import make_runner
    from graders.sandbox.pool import WarmPool
    from hub.courses.exercise_check import check_folder
    from hub.courses.exercise_trial import check_exercise, plan_trials

    config = _sandbox_config()
    pool = WarmPool(lambda: make_runner(config), size=2)
    findings: dict[str, list[Finding]] = {}
    try:
        with (
            tempfile.TemporaryDirectory(prefix="atelier-check-") as scratch,
            Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar,
        ):
            recipes = Path(scratch) / "recipes"

            def grade_one(source: Path, submission: Path) -> dict[str, object]:
                return grade_command(
                    source,
                    submission,
                    image=config.image,
                    instance=config.instance,
                    recipes_dir=recipes,
                    sandbox=pool,
                )[1]

            for folder in folders:
                name = f"{folder.parent.name}/{folder.name}"
                known, _ = check_folder(folder)
                total = len(plan_trials(known)) * repeats if known else 1
                task = bar.add_task(name, total=total)
                workdir = Path(scratch) / folder.parent.name / folder.name
                findings[name] = check_exercise(
                    folder,
                    grade_one,
                    workdir,
                    repeats=repeats,
                    workers=2,
                    on_graded=partial(_advance, bar, task),
                )
    finally:
        pool.close()
    return findings


def _advance(bar: Progress, task: TaskID, _trial: str) -> None:
    bar.advance(task)


def _print_findings(findings: dict[str, list[Finding]]) -> None:
    for name, found in findings.items():
        print(f"{name}: {'in order' if not found else f'{len(found)} to put right'}")
        for finding in found:
            print(f"  {finding.severity.value}: {finding.where}: {finding.problem}\n    {finding.advice}")


def _print_result(result: dict[str, Any]) -> None:
    print(f"{result['verdict']}: {result['score']:g} of {result['max_score']:g}")
    for name, notebook in result["notebooks"].items():
        print(f"  {name}: {notebook['score']:g} of {notebook['max_score']:g}")
        for grade_id, cell in notebook["cells"].items():
            score = "by hand" if cell["score"] is None else f"{cell['score']:g}"
            print(f"    {grade_id}: {score} of {cell['max_score']:g} ({cell['verdict']})")
            for message in cell["messages"]:
                print(f"      {message}")
    if result.get("reason"):
        print(result["reason"])
    for warning in result["warnings"]:
        print(f"  note: {warning}")


def main() -> None:
    """Run the command line."""
    app()
