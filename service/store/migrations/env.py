"""Runs migrations on the connection that ``service.store.engine`` hands over."""

from alembic import context

from service.store.tables import Base


def _is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
    """What the databases keep for full-text search is not in the tables' classes."""
    return not (name or "").startswith("claim_search") and name not in ("search", "claims_by_search")


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, include_object=_is_ours)
context.run_migrations()
