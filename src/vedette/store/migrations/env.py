"""Alembic's entry: runs the migrations on the connection that `vedette.store.migrate` opened and locked."""

from alembic import context

config = context.config
connection = config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=config.attributes.get("metadata"),
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
