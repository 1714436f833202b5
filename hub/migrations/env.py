"""Alembic's environment: run by `hub.migrations.upgrade`, never by hand."""

from __future__ import annotations

from alembic import context

import hub.courses.models
import hub.people.models
import hub.progress.models
import hub.submissions.models  # noqa: F401 - importing a module declares its tables
from hub.db import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    user_module_prefix="hub.db.",
)
with context.begin_transaction():
    context.run_migrations()
