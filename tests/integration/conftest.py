"""Fixtures for every integration test.

postgres        | the URL of a private PostgreSQL server, one a session
empty_postgres  | the same, with nothing in its database
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from hub.db import Database
from tests.doubles.postgres import postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    # The socket's path is limited to about 100 bytes, and the server's user has to reach it: not pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="ateliertest-pg-"))
    folder.chmod(0o755)
    try:
        with postgres_server(folder / "server") as url:
            yield url
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def empty_postgres(postgres: str) -> str:
    database = Database(postgres)
    with database.transaction() as session:
        for schema in ("public", "dbos"):
            session.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        session.execute(text("CREATE SCHEMA public"))
    database.close()
    return postgres
