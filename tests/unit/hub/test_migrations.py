"""The migrations lead to what the models say, and can be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hub import migrations
from hub.db import Base

if TYPE_CHECKING:
    from hub.db import Database


def test_a_migrated_database_is_what_the_models_say(database: Database) -> None:
    migrations.upgrade(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []
