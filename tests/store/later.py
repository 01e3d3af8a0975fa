"""Migrations of a later TigerTag, and how Alembic is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection, create_engine, make_url

from tigertag.store import versions

ROOT = Path(__file__).parents[2]
HEAD = versions.head()

ALTERING = f'''
"""Gives photos a note, in a new table on SQLite."""
import sqlalchemy as sa
from alembic import op

revision = "later"
down_revision = "{HEAD}"

def upgrade():
    with op.batch_alter_table("photo", recreate="auto") as photo:
        photo.add_column(sa.Column("note", sa.String(20), nullable=False, server_default="none"))
        photo.alter_column(
            "width", new_column_name="breadth", existing_type=sa.Integer(), existing_nullable=False
        )

def downgrade():
    pass
'''


def alembic(connection: Connection, scripts: Path | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts or versions.folder()))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that knows nothing of TigerTag's settings."""
    engine = create_engine(make_url(url))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def make_later(scripts: Path) -> Path:
    """The migrations of a later TigerTag: ours and one that changes a table others point to."""
    for path in versions.folder().rglob("*.*"):
        if path.suffix in (".py", ".mako"):
            copy = scripts / path.relative_to(versions.folder())
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(path.read_text())
    (scripts / "versions" / "later_note.py").write_text(ALTERING)
    return scripts
