"""The migrations on PostgreSQL: the same tables, and every foreign key, as the models say."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hub import migrations
from hub.db import Base, Database

pytestmark = pytest.mark.integration


def test_a_migrated_database_is_what_the_models_say(empty_postgres: str) -> None:
    database = Database(empty_postgres)
    try:
        migrations.upgrade(database)
        with database.engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    finally:
        database.close()
    assert differences == []
