"""What `vocabulary.yaml` says, each name with the line that holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tigertag.model import Term, Vocabulary


@dataclass(slots=True)
class Entry:
    """An entry of `tags`."""

    name: str
    line: int
    parent: tuple[str, int] | None = None
    """With an empty name: it has none, whatever the hierarchy says."""
    synonyms: list[tuple[str, int]] = field(default_factory=list)
    names: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By language."""
    min_confidence: float | None = None
    agree: float | None = None
    is_category: bool = False
    prompts: tuple[str, ...] = ()
    group: str = ""

    def term(self) -> Term:
        return Term(
            self.name,
            self.parent[0] if self.parent else None,
            tuple(name for name, _ in self.synonyms),
            {language: name for language, (name, _) in self.names.items()},
            self.min_confidence,
            self.agree,
            self.is_category,
            self.prompts,
            self.group,
        )


@dataclass(slots=True)
class Said:
    """A whole file. Folded names → lines, or what they mean with its line."""

    allow: dict[str, int] | None = None
    deny: dict[str, int] = field(default_factory=dict)
    rename: dict[str, tuple[str, int]] = field(default_factory=dict)
    tags: dict[str, Entry] = field(default_factory=dict)
    hierarchy: str = "none"
    writes_parents: bool = False
    languages: tuple[str, ...] = ()
    language_line: int = 0
    max_tags: int | None = None
    agree: float | None = None
    trust: dict[str, float] = field(default_factory=dict)

    def vocabulary(self) -> Vocabulary:
        """All but what lies above what."""
        return Vocabulary(
            frozenset(self.allow) if self.allow is not None else None,
            frozenset(self.deny),
            {old: new for old, (new, _) in self.rename.items()},
            terms={key: entry.term() for key, entry in self.tags.items()},
            languages=self.languages,
            writes_parents=self.writes_parents,
            max_tags=self.max_tags,
            agree=1 if self.agree is None else self.agree,
            trust=self.trust,
        )
