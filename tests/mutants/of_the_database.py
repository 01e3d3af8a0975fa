"""Safeguards of the database, the settings and the dry run."""

from __future__ import annotations

from tests.mutants.safeguard import Safeguard

OF_THE_DATABASE = (
    Safeguard(
        "copy before a migration",
        "tigertag/store/schema.py",
        "return _upgraded(db, before, _backup(db, before.revision), scripts)",
        "return _upgraded(db, before, None, scripts)",
        "D9: a SQLite file is copied before its schema changes",
        "tests/store/test_schema.py",
        "test_an_upgrade_keeps_rows_and_copies_a_file_first[sqlite]",
    ),
    Safeguard(
        "newer schema",
        "tigertag/store/versions.py",
        'return State.NEWER if {"run_lock", "ledger"} <= ours else State.FOREIGN',
        "return State.CURRENT",
        "D8: a database of a newer TigerTag is not written",
        "tests/store/test_schema_refused.py",
        "test_a_newer_schema_is_refused[sqlite]",
    ),
    Safeguard(
        "database of 2021",
        "tigertag/store/versions.py",
        "case State.OF_2021:\n",
        "case State.OF_2021 if False:\n",
        "D10: a database of 2021 is left as it is",
        "tests/store/test_schema_refused.py",
        "test_a_file_of_2021_keeps_every_byte",
    ),
    Safeguard(
        "commits on the disk",
        "tigertag/store/connect.py",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = NORMAL",
        "I3: what was committed survives a power cut",
        "tests/store/test_database.py",
        "test_every_commit_reaches_the_disk",
    ),
    Safeguard(
        "dry runs read only",
        "tigertag/app/context.py",
        "with Database.open(self.settings.db_url, create=False, read_only=True) as database:",
        "with Database.open(self.settings.db_url) as database:",
        "I20: a dry run makes no database and changes none",
        "tests/app/test_dry_run.py",
        "test_a_dry_run_makes_no_database",
    ),
)
