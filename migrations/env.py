"""Alembic's way in: one schema at a time, named by whoever calls (panel.platform.migrate)."""

from alembic import context
from sqlalchemy import text

from panel.platform.migrate import Target

target: Target = context.config.attributes["target"]

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql", version_table="migrated", transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with target.connection() as connection:
        connection.execute(text(f'SET search_path TO "{target.schema}"'))
        connection.commit()
        connection.dialect.default_schema_name = target.schema
        context.configure(
            connection=connection,
            target_metadata=target.metadata,
            version_table="migrated",
            version_table_schema=target.schema,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
