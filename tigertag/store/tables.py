"""The tables, one class each. Invariants are constraints; what they mean is in the class's first line.

Names that are compared stand in a binary collation, so that every database compares them as Python does; `fold`
columns hold `model.fold(name)`. Moments are UTC. Nothing here reads or writes: queries live beside this file.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tigertag.store.columns import BigId, Hash, LongText, Moment, Name, Word, exact


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Run(Base):
    """One run of a command that takes the lock."""

    __tablename__ = "run"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    command: Mapped[str] = mapped_column(Word)
    arguments: Mapped[str] = mapped_column(LongText, default="")
    state: Mapped[str] = mapped_column(Word, default="running")  # running, done, stopped, failed
    exit_code: Mapped[int | None] = mapped_column(Integer)
    started: Mapped[datetime] = mapped_column(Moment)
    ended: Mapped[datetime | None] = mapped_column(Moment)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class RunLock(Base):
    """At most one row, named `run`: who may send and write. Frees itself when its holder is dead."""

    __tablename__ = "run_lock"
    name: Mapped[str] = mapped_column(Word, primary_key=True)
    token: Mapped[str] = mapped_column(Hash)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    command: Mapped[str] = mapped_column(Word)
    host: Mapped[str] = mapped_column(exact(255))
    pid: Mapped[int] = mapped_column(BigInteger)
    boot_id: Mapped[str] = mapped_column(Hash)
    since: Mapped[datetime] = mapped_column(Moment)
    heartbeat: Mapped[datetime] = mapped_column(Moment)


class SourceRow(Base):
    """Where items lie, by `Source.identity`."""

    __tablename__ = "source"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    identity: Mapped[str] = mapped_column(LongText)
    identity_hash: Mapped[str] = mapped_column(Hash, unique=True)
    label: Mapped[str] = mapped_column(LongText, default="")


class PhotoRow(Base):
    """A picture, wherever it lies."""

    __tablename__ = "photo"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    content_id: Mapped[str] = mapped_column(Hash, unique=True)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    seen: Mapped[datetime] = mapped_column(Moment)


class ItemRow(Base):
    """A place where a photo lies. Never deleted; one that is not listed is `gone_since`.

    `read_stamp` is the stamp under which the bytes were last read to an end: with a photo, with a `problem`
    (unreadable, in a sentence), or with what it `needs` (the extra that brings a decoder). A row whose
    `read_stamp` is not its `stamp` waits to be opened. `listing` is 64 bits of a hash of all that the last
    listing said of it; a row without is compared in full.
    """

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    key: Mapped[str] = mapped_column(LongText)
    key_hash: Mapped[str] = mapped_column(Hash)
    path: Mapped[str] = mapped_column(LongText)
    path_hash: Mapped[str] = mapped_column(Hash, index=True)
    section: Mapped[str] = mapped_column(LongText, default="")
    album: Mapped[str] = mapped_column(LongText, default="")
    title: Mapped[str] = mapped_column(LongText, default="")
    stamp: Mapped[str] = mapped_column(LongText)
    size: Mapped[int | None] = mapped_column(BigInteger)
    moment: Mapped[datetime | None] = mapped_column(Moment)
    facts: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    gone_since: Mapped[datetime | None] = mapped_column(Moment)
    read_stamp: Mapped[str | None] = mapped_column(LongText)
    problem: Mapped[str | None] = mapped_column(LongText)
    needs: Mapped[str | None] = mapped_column(Word, index=True)
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id"), index=True)
    input: Mapped[str] = mapped_column(Hash, default="")
    file_hash: Mapped[str] = mapped_column(Hash, default="")
    listing: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint("source_id", "key_hash"),
        Index("ix_item_source_id_gone_since_moment", "source_id", "gone_since", "moment"),
    )


class EngineRow(Base):
    """An engine as configured, by the ID of its variables, in lower case."""

    __tablename__ = "engine"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(exact(100), unique=True)
    plugin: Mapped[str] = mapped_column(exact(255))


class Revision(Base):
    """A plugin with the settings that change its answers. Renaming an engine makes no new one: no new bill."""

    __tablename__ = "revision"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    plugin: Mapped[str] = mapped_column(exact(255))
    fingerprint: Mapped[str] = mapped_column(Hash)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[str] = mapped_column(exact(100))
    reads: Mapped[str] = mapped_column(Word)
    created: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (UniqueConstraint("plugin", "fingerprint"),)


class EngineRevision(Base):
    """The revisions an engine has had; the highest `place` is in force."""

    __tablename__ = "engine_revision"
    engine_id: Mapped[int] = mapped_column(ForeignKey("engine.id"), primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer)


class AnalysisRow(Base):
    """The answer of a revision for a photo, or its failure; unique, so nothing is paid for twice.

    `input` is '' for engines that read the picture only. Rows in state `waiting` and `again` are work to do;
    `done` and `again` hold an answer: one that is asked again stays until the new one is there.
    """

    __tablename__ = "analysis"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    input: Mapped[str] = mapped_column(Hash, default="")
    state: Mapped[str] = mapped_column(Word)
    reason: Mapped[str | None] = mapped_column(LongText)
    raw: Mapped[str | None] = mapped_column(LongText)
    dropped: Mapped[int] = mapped_column(Integer, default=0)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (
        UniqueConstraint("photo_id", "revision_id", "input"),
        CheckConstraint("state IN ('waiting', 'done', 'again', 'failed')", name="state"),
        Index("ix_analysis_revision_id_state", "revision_id", "state"),
    )


class SendRow(Base):
    """A request that may be billed, committed before it left. `unknown` at the end: maybe billed."""

    __tablename__ = "send"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    outcome: Mapped[str] = mapped_column(Word, default="unknown")
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (
        CheckConstraint("outcome IN ('unknown', 'billed', 'free')", name="outcome"),
        Index("ix_send_at_revision_id", "at", "revision_id"),
    )


class TagRow(Base):
    """A name that engines have said, as they spelled it."""

    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(Word)
    name: Mapped[str] = mapped_column(Name)
    fold: Mapped[str] = mapped_column(Name, index=True)
    __table_args__ = (UniqueConstraint("kind", "name"),)


class AnnotationRow(Base):
    """One thing an engine said. The box is in fractions of the upright picture."""

    __tablename__ = "annotation"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analysis.id"), index=True)
    kind: Mapped[str] = mapped_column(Word)
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tag.id"), index=True)
    confidence: Mapped[float] = mapped_column(Float(53))
    language: Mapped[str] = mapped_column(Word, default="")
    x: Mapped[float | None] = mapped_column(Float(53))
    y: Mapped[float | None] = mapped_column(Float(53))
    width: Mapped[float | None] = mapped_column(Float(53))
    height: Mapped[float | None] = mapped_column(Float(53))
    value: Mapped[Any] = mapped_column(JSON, nullable=True)


class VectorRow(Base):
    """What a whole photo means to the model of a revision, as its answer said: half floats, little-endian.

    An annotation of kind `embedding` without a box lies here and not in `annotation`, so that a search reads
    nothing else.
    """

    __tablename__ = "vector"
    analysis_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("analysis.id"), primary_key=True, autoincrement=False
    )
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (Index("ix_vector_revision_id_photo_id", "revision_id", "photo_id"),)


class WordRow(Base):
    """What a text means to the model of a revision, so that it need not be loaded to write tags."""

    __tablename__ = "word"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    text: Mapped[str] = mapped_column(LongText)
    text_hash: Mapped[str] = mapped_column(Hash)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (UniqueConstraint("revision_id", "text_hash"),)


class TargetRow(Base):
    """Where tags are shown, by `Target.identity`. `policy` is the policy all its items were last planned by."""

    __tablename__ = "target"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    identity: Mapped[str] = mapped_column(LongText)
    identity_hash: Mapped[str] = mapped_column(Hash, unique=True)
    label: Mapped[str] = mapped_column(LongText, default="")
    policy: Mapped[str] = mapped_column(Hash, default="")


class Delivery(Base):
    """Bringing one item of one target in line: at once the work list and the state.

    `held` waits for a person (P20); `failed` waits for a change. `wanted` is the fingerprint of the tags that
    were wanted when it was last brought in line.
    """

    __tablename__ = "delivery"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id"))
    state: Mapped[str] = mapped_column(Word)
    wanted: Mapped[str] = mapped_column(Hash, default="")
    reason: Mapped[str | None] = mapped_column(LongText)
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (
        UniqueConstraint("item_id", "target_id"),
        CheckConstraint("state IN ('pending', 'done', 'failed', 'held')", name="state"),
        Index("ix_delivery_target_id_state", "target_id", "state"),
    )


class Edit(Base):
    """The journal: what was done to a tag of an item. Append-only; only `state` moves, from `intended`.

    `undoes` names the row that this one takes back; a row that a confirmed one undoes no longer counts.
    """

    __tablename__ = "edit"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), index=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    action: Mapped[str] = mapped_column(Word)
    state: Mapped[str] = mapped_column(Word, index=True)
    name: Mapped[str] = mapped_column(Name)
    fold: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(Word)
    canonical: Mapped[str] = mapped_column(Name)
    engines: Mapped[list[str]] = mapped_column(JSON)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("edit.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (
        CheckConstraint("action IN ('add', 'remove')", name="action"),
        CheckConstraint("state IN ('intended', 'confirmed', 'withdrawn')", name="state"),
        Index("ix_edit_item_id_target_id", "item_id", "target_id"),
    )


class Ledger(Base):
    """The present: a tag on an item of a target that we put there (`ours`) or found there (`theirs`).

    Only `ours` is ever removed. `engines` are the IDs that want it.
    """

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    name: Mapped[str] = mapped_column(Name)
    fold: Mapped[str] = mapped_column(Name)
    kind: Mapped[str] = mapped_column(Word)
    canonical: Mapped[str] = mapped_column(Name)
    origin: Mapped[str] = mapped_column(Word)
    engines: Mapped[list[str]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (
        UniqueConstraint("target_id", "item_id", "fold"),
        CheckConstraint("origin IN ('ours', 'theirs')", name="origin"),
        Index("ix_ledger_item_id_target_id", "item_id", "target_id"),
    )


class Verdict(Base):
    """What a human wants of a tag: `no` (removed it), `yes` (added it again), `undone` (took our edit back).

    Counts where item or photo matches. `canonical` is after rename, before prefix, folded. `edit_id` is the
    journal row that an `undone` took back.
    """

    __tablename__ = "verdict"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id"), index=True)
    kind: Mapped[str] = mapped_column(Word)
    canonical: Mapped[str] = mapped_column(Name)
    name: Mapped[str] = mapped_column(Name)
    value: Mapped[str] = mapped_column(Word)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    __table_args__ = (
        UniqueConstraint("item_id", "kind", "canonical"),
        CheckConstraint("value IN ('no', 'yes', 'undone')", name="value"),
    )


class MemoryRow(Base):
    """What a plugin remembers outside itself, by its scope (`engine:compreface`)."""

    __tablename__ = "memory"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[str] = mapped_column(exact(255))
    key: Mapped[str] = mapped_column(LongText)
    key_hash: Mapped[str] = mapped_column(Hash)
    value: Mapped[Any] = mapped_column(JSON, nullable=True)
    __table_args__ = (UniqueConstraint("scope", "key_hash"),)
