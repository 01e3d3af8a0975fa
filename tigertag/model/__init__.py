"""The nouns and the three protocols. Standard library only, no I/O.

    source.items() → discover → analyze → write → target

A **photo** is its picture; an **item** is a place where it lies. An **engine** says **annotations** about a
photo; an **analysis** is one answer. A **target** shows tags on items and takes changes to them.
"""

from tigertag.model.engine import Engine, KnowsPeople, Outcome, Permit, Person, Quota, Send, Synced
from tigertag.model.photo import (
    Analysis,
    Annotation,
    Box,
    HasSidecar,
    Item,
    Kind,
    Photo,
    Rendition,
    Sidecar,
)
from tigertag.model.plugin import Finding, Memory
from tigertag.model.rules import Budget, EnginePolicy, EngineRules, Hours, Rate, Term, Vocabulary
from tigertag.model.source import Album, KeepsSidecars, ListsAlbums, Source
from tigertag.model.target import Change, Presence, Shown, Target, WritesIntoFiles, Written
from tigertag.model.words import CAPTION, JSON, LONGEST_NAME, fingerprint, fold

__all__ = [
    "CAPTION",
    "JSON",
    "LONGEST_NAME",
    "Album",
    "Analysis",
    "Annotation",
    "Box",
    "Budget",
    "Change",
    "Engine",
    "EnginePolicy",
    "EngineRules",
    "Finding",
    "HasSidecar",
    "Hours",
    "Item",
    "KeepsSidecars",
    "Kind",
    "KnowsPeople",
    "ListsAlbums",
    "Memory",
    "Outcome",
    "Permit",
    "Person",
    "Photo",
    "Presence",
    "Quota",
    "Rate",
    "Rendition",
    "Send",
    "Shown",
    "Sidecar",
    "Source",
    "Synced",
    "Target",
    "Term",
    "Vocabulary",
    "WritesIntoFiles",
    "Written",
    "fingerprint",
    "fold",
]
