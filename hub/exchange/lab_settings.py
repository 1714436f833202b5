"""JupyterLab's defaults for one person: their language, and no buttons for what their role does not have.

Called by wiring.py when a server starts. JupyterLab reads both files from its `app_settings_dir`; since they depend on the
person and the image does not, they are written to a folder of this start. What people choose themselves still wins.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hub.exchange.environment import Environment, Role

LOCALES = {"en": "en", "fr": "fr_FR", "nl": "nl_NL"}
HIDDEN = {
    Role.LEARNER: (
        "@jupyter/nbgrader:course-list",
        "@jupyter/nbgrader:create-assignment",
        "@jupyter/nbgrader:formgrader",
    ),
    Role.TRAINER: ("@jupyter/nbgrader:course-list",),
}


def lab_overrides(environment: Environment, base: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults of Lab's settings: the site's, with the person's language."""
    plugin = "@jupyterlab/translation-extension:plugin"
    return {**base, plugin: {**base.get(plugin, {}), "locale": LOCALES[environment.language]}}


def page_config(environment: Environment) -> dict[str, Any]:
    """Return which of Lab's plugins a role does not get, and that nobody switches them by hand."""
    hidden = dict.fromkeys(HIDDEN[environment.role], True)
    return {"disabledExtensions": hidden, "lockedExtensions": hidden}


def write_lab_settings(environment: Environment, base: Path) -> Path:
    """Write the settings of this start. Returns the folder for `LabApp.app_settings_dir`.

    Args:
        environment: whose server starts.
        base: the site's overrides.json; absent means none.
    """
    site = json.loads(base.read_text(encoding="utf-8")) if base.is_file() else {}
    folder = Path(tempfile.mkdtemp(prefix="atelier-lab-"))
    (folder / "overrides.json").write_text(json.dumps(lab_overrides(environment, site)), encoding="utf-8")
    (folder / "page_config.json").write_text(json.dumps(page_config(environment)), encoding="utf-8")
    return folder
