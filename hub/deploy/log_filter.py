"""Keeps tokens out of the hub's log. Installed by hub/deploy/jupyterhub.py.

JupyterHub leaves out what stands in an address itself, but not what stands in an address inside an address (where a
redirect leads "next"), nor the ids of sessions that it notes when it makes a token against forgery.
"""

from __future__ import annotations

import logging
import re

LOGGERS = ("JupyterHub", "tornado.access", "tornado.application", "tornado.general")

_IN_ADDRESS = re.compile(
    r"((?:token|code|state|password|auth|_xsrf)(?:%25)*(?:=|%(?:25)*3D))[^&\s\"'%]+", re.IGNORECASE
)
_OF_SESSION = re.compile(r"(xsrf cookie for )b?'[^']*'")


class SecretFilter(logging.Filter):
    """Replaces secrets in a line by a word. Lets every line through."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record."""
        said = record.getMessage()
        clean = _OF_SESSION.sub(r"\1[secret]", _IN_ADDRESS.sub(r"\1[secret]", said))
        if clean != said:
            record.msg, record.args = clean, ()
        return True


def keep_secrets_out_of_logs() -> None:
    """Put the filter before everything that JupyterHub writes. Repeatable."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, SecretFilter) for known in logger.filters):
            logger.addFilter(SecretFilter())
