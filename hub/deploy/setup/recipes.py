"""What `make up`, `down`, `test` and `check` do, as lists of steps. Reads as the manual; the steps are in
the other modules.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hub.deploy import secrets
from hub.deploy.setup import apt, engine, health, images, node, processes, suites, venv
from hub.deploy.setup.commands import SystemRunner
from hub.deploy.setup.errors import SetupError, last_lines
from hub.deploy.setup.places import Places
from hub.deploy.setup.probe import PlatformSettings, load_platform_settings
from hub.deploy.setup.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

Step = tuple[str, Callable[[], str]]


class Recipes:
    """The recipes for one checkout and one state directory."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.runner = SystemRunner(places.setup_log)
        self.lease = engine.Lease()
        self.progress = Progress(0)

    def up(self) -> int:
        """From a bare machine to a running platform."""
        started = time.monotonic()
        apt.require_root("the firewall rules of the learners' network")
        with self.lease.held(), self.places.locked():
            self._run(
                [
                    ("Debian packages", lambda: apt.ensure_needs(self.runner, apt.FOR_THE_PLATFORM)),
                    self._engine_step(),
                    *self._package_steps(extras=()),
                    *self._image_steps(),
                    ("Settings", self._check_settings),
                    ("Secrets", self._ensure_secrets),
                    ("Database, exercises and demo people", self._ensure_database),
                    ("Learners' closed network", self._ensure_network),
                    ("JupyterHub, service and worker", self._ensure_processes),
                ]
            )
        self._print_address(time.monotonic() - started)
        return 0

    def down(self) -> int:
        """Stop what `up` started, as much as can be. Volumes and the state directory stay."""
        problems = self._run_all(
            [
                ("JupyterHub, service and worker", lambda: processes.stop(self.places)),
                ("Learners' and graders' containers", self._remove_containers),
                ("Learners' closed network", self._remove_network),
                ("Docker engine", lambda: engine.release_engine(self.lease)),
            ]
        )
        for problem in problems:
            show_problem(problem)
        said = "Stopped" if not problems else "Stopped what could be"
        self.progress.say(f"{said}. Nothing is lost: it is in {self.places.state} and in Docker's volumes.")
        return int(bool(problems))

    def test(self, kinds: Sequence[str]) -> int:
        """Run the tests, on a machine that may be bare; leave behind nothing that runs."""
        if set(kinds) <= suites.WITHOUT_ENGINE:
            with self.places.locked():
                self._run([self._venv_needs_step(), *self._package_steps(extras=("test",))])
            return suites.run_tests(self.places, kinds, self.progress.say)
        apt.require_root("the firewall rules that the tests set")
        try:
            with self.lease.held():
                with self.places.locked():
                    self._run(
                        [
                            ("Debian packages", lambda: apt.ensure_needs(self.runner, apt.FOR_THE_TESTS)),
                            self._engine_step(),
                            *self._package_steps(extras=("test",)),
                            *self._image_steps(),
                        ]
                    )
                return suites.run_tests(self.places, kinds, self.progress.say)
        finally:
            result = engine.release_engine(self.lease)
            self.progress.say(f"Docker engine: {result}")

    def check(self) -> int:
        """Lint, format, types, direction of imports."""
        with self.places.locked():
            self._run([self._venv_needs_step(), *self._package_steps(extras=("test",))])
        return suites.run_checks(self.places, self.progress.say)

    def images(self) -> int:
        """Build the images alone."""
        with self.lease.held(), self.places.locked():
            self._run([self._engine_step(), *self._image_steps()])
        return 0

    def _venv_needs_step(self) -> Step:
        return ("Debian packages", lambda: apt.ensure_needs(self.runner, apt.FOR_THE_VENV))

    def _package_steps(self, extras: Sequence[str]) -> list[Step]:
        return [
            ("Python packages", lambda: venv.ensure_venv(self.runner, self.places, extras)),
            ("Node packages", lambda: node.ensure_node_packages(self.runner, self.places)),
            ("What the pages load", lambda: node.ensure_assets(self.places)),
        ]

    def _engine_step(self) -> Step:
        return (
            "Docker engine",
            lambda: engine.ensure_engine(self.runner, self.lease, self.progress.note),
        )

    def _image_steps(self) -> list[Step]:
        def build(image: images.Image) -> Callable[[], str]:
            return lambda: images.ensure_image(self.runner, self.places.root, image, self.progress.note)

        return [(f"Image {image.name}", build(image)) for image in images.ALL]

    @functools.cached_property
    def _settings(self) -> PlatformSettings:
        return load_platform_settings(self.runner, self.places)

    def _check_settings(self) -> str:
        return f"instance {self._settings.instance}, {self._settings.url}"

    def _ensure_secrets(self) -> str:
        made = secrets.ensure_secrets(self.places.state / "secrets")
        return f"made {', '.join(made)}" if made else "all there"

    def _ensure_database(self) -> str:
        if processes.find_supervisor(self.places) and not self._is_current():
            self.progress.note("code or settings have changed since the programs were started: stopping them")
            processes.stop(self.places)
        self.runner.run(
            [str(self.places.venv_bin / "atelier"), "setup-database"],
            env=self._environment(),
            advice="Look at the lines above. Nothing of the old database was removed.",
        )
        return "up to date"

    def _ensure_network(self) -> str:
        self.runner.run(
            [str(self.places.venv_bin / "atelier"), "network", "up"],
            env=self._environment(),
            advice="The lines above say what stands in the way.",
        )
        return "closed"

    def _remove_network(self) -> str:
        if not self.places.venv_python.exists() or engine.find_version(self.runner) is None:
            return "not there"
        self.runner.run(
            [str(self.places.venv_bin / "atelier"), "network", "down"],
            env=self._environment(),
            advice="The lines above say what stands in the way. Only root may take the firewall rules away.",
        )
        return "removed"

    def _ensure_processes(self) -> str:
        platform = self._settings
        was_running = processes.find_supervisor(self.places) is not None
        if not was_running:
            health.require_free_ports(platform)
            self._started_from.write_text(self._code_digest(), encoding="ascii")
            processes.start(self.places, self.lease, self._environment())
        health.wait_until_healthy(self.runner, self.places, platform, self.progress.note)
        return "already running" if was_running else "started"

    def _is_current(self) -> bool:
        stamp = self._started_from
        return stamp.is_file() and stamp.read_text(encoding="ascii") == self._code_digest()

    def _code_digest(self) -> str:
        return processes.code_digest(self.places, self._image_settings())

    @property
    def _started_from(self) -> Path:
        return self.places.run / "started-from"

    def _remove_containers(self) -> str:
        if not self.places.venv_python.exists():
            return "none: Atelier was never installed here"
        return processes.remove_containers(self.runner, self._settings.instance)

    def _environment(self) -> dict[str, str]:
        return processes.program_environment(self.places, self._image_settings())

    def _image_settings(self) -> dict[str, str]:
        return images.image_settings(self.places.root)

    def _print_address(self, seconds: float) -> None:
        platform = self._settings
        say = self.progress.say
        say()
        say(f"Atelier is running ({seconds:.0f} s): {platform.url}")
        if self.places.demo_accounts.exists():
            say(f"Demo accounts:       {self.places.demo_accounts}")
        say(f"Logs:                {self.places.log}")
        say("To stop it:          make down")

    def _run(self, steps: Sequence[Step]) -> None:
        self.places.ensure_state()
        self.progress = Progress(len(steps))
        for title, action in steps:
            self.progress.step(title, action)

    def _run_all(self, steps: Sequence[Step]) -> list[SetupError]:
        """Run every step, also after one has failed; return what went wrong."""
        problems = []
        self.places.ensure_state()
        self.progress = Progress(len(steps))
        for title, action in steps:
            try:
                self.progress.step(title, action)
            except SetupError as problem:
                problems.append(problem)
        return problems


def run_recipe(arguments: Sequence[str]) -> int:
    """Run the named recipe; the process edge, where a SetupError becomes a few readable lines.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        prog="hub.deploy.setup", description="Set up, start, stop and test Atelier."
    )
    commands = parser.add_subparsers(dest="recipe", required=True)
    commands.add_parser("up", help="from a bare machine to a running platform")
    commands.add_parser("down", help="stop what `up` started; nothing is lost")
    test = commands.add_parser("test", help="run the tests, on a machine that may be bare")
    test.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(suites.KINDS)}; all by default")
    commands.add_parser("check", help="lint, format, types, direction of imports")
    commands.add_parser("images", help="build the container images")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(getattr(chosen, "kinds", [])) - set(suites.KINDS))
    if unknown:
        parser.error(f"unknown kind of tests: {', '.join(unknown)}")
    recipes = Recipes(Places.from_environment())
    try:
        if chosen.recipe == "test":
            return recipes.test(chosen.kinds or list(suites.KINDS))
        run: Callable[[], int] = getattr(recipes, chosen.recipe)
        return run()
    except SetupError as problem:
        show_problem(problem)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Start again whenever you like: finished steps are not repeated.", file=sys.stderr)
        return 130


def show_problem(problem: SetupError) -> None:
    """Print the last lines of the log, what happened and what to do."""
    print(file=sys.stderr)
    if problem.log:
        for line in last_lines(problem.log):
            print(f"    | {line}", file=sys.stderr)
        print(f"(from {problem.log})", file=sys.stderr)
    print(f"It did not work: {problem.message}", file=sys.stderr)
    print(f"What to do: {problem.advice}", file=sys.stderr)
