"""What the policy does to the tags of the library: which there are, why, and what other words would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from tigertag.app.context import App
from tigertag.app.named import photo_named
from tigertag.model import Annotation, fold
from tigertag.pipeline.policy import Policy, prefixed, tags_of
from tigertag.pipeline.weigh import Said, support
from tigertag.store import answers, find, items, ledger
from tigertag.store.tables import Ledger
from tigertag.vocabulary.rule import Rule

_THEIRS = "yours: it is there without TigerTag"

# ── a photo ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a tag is, or is not, written: who said it, how surely, under which name, which rule decided."""

    said: str
    """As the engine said it; for a tag that lies above it, that tag's own name."""
    engine: str
    """Empty where none in force says it."""
    confidence: float | None
    name: str
    """As it would be written."""
    rule: str
    """A `Rule`; `verdict` where a person decided, `above` where it is written with a tag below it, `theirs`
    where somebody else put it there, `kept` where an engine out of force wants it, `earlier` where it was
    written under other rules.
    """
    outcome: str
    """The same in words."""
    cosine: float | None = None
    """Of a word that was found in a vector: how close they are, -1..1."""


def explain(app: App, photo: str, tag: str | None = None) -> list[tuple[str, list[Reason]]]:
    """For each item that `photo` means, its path, what became of each tag that an engine said, and which other
    tags stand there.

    With `tag` only those that have it in the name that was said, or in the one that is written.
    """
    with app.looking() as database, database.reading() as session:
        policy = app.policy_over(database)
        found = photo_named(session, photo)
        explained = []
        for item_id in found:
            row, _, _ = find.item_row(session, item_id)
            said = answers.said_of(session, [item_id], list(policy.engines))[item_id]
            against = kept_away(session, [(item_id, row.photo_id)])[item_id]
            every = [*_reasons(policy.weigh(said), policy, against)]
            reasons = [
                reason
                for reason in _with_standing(every, _standing(session, item_id), policy.engines)
                if tag is None or any(fold(tag) in fold(name) for name in (reason.said, reason.name))
            ]
            explained.append((items.glob_path(row.section, row.path), reasons))
        return explained


def kept_away(session: Session, photos: Sequence[tuple[int, int | None]]) -> dict[int, set[str]]:
    """The folded names, canonical and shown, that verdicts keep away, by item. `photos`: items, each with its
    photo.
    """
    found = {}
    for item_id, rows in ledger.verdicts(session, photos).items():
        stopping = [each for each in rows if each.value != "yes"]
        found[item_id] = {fold(each.name) for each in stopping} | {each.canonical for each in stopping}
    return found


def _reasons(weighed: list[Said], policy: Policy, against: set[str]) -> Iterator[Reason]:
    trusted = support(weighed, policy.vocabulary)
    for said in weighed:
        name = prefixed(policy.engines[said.engine].prefix, said.word.shown)
        rule, outcome = said.rule.value, _because(said, policy, trusted)
        if said.rule is Rule.WRITTEN and not against.isdisjoint((said.word.fold, fold(name))):
            rule, outcome = "verdict", "stays away: you removed it, or took it back"
        told, value = said.annotation, said.annotation.value
        cosine = value if said.engine in policy.sights and isinstance(value, float) else None
        yield Reason(told.name, said.engine, told.confidence, name, rule, outcome, cosine)
    yield from _reasons_above(weighed, policy, against)


def _reasons_above(weighed: list[Said], policy: Policy, against: set[str]) -> Iterator[Reason]:
    """The tags that are written because they lie above others, each once for an engine."""
    written = [said for said in weighed if said.rule is Rule.WRITTEN]
    named = {(said.engine, said.word.fold) for said in written}
    for said in written:
        for word in said.word.above:
            if (said.engine, word.fold) in named:
                continue
            named.add((said.engine, word.fold))
            name = prefixed(policy.engines[said.engine].prefix, word.shown)
            stays_away = not against.isdisjoint((word.fold, fold(name)))
            outcome = "stays away: you removed it, or took it back" if stays_away else "written"
            yield Reason(
                word.canonical,
                said.engine,
                said.annotation.confidence,
                name,
                "verdict" if stays_away else "above",
                f"{outcome}, above {said.word.shown}",
            )


def _standing(session: Session, item_id: int) -> dict[str, Ledger]:
    """The tags that stand on an item, by folded name; one that is ours anywhere is ours."""
    found: dict[str, Ledger] = {}
    for target in ledger.targets(session):
        for entry in ledger.entries(session, target.id, [item_id])[item_id]:
            if entry.origin == "ours" or entry.fold not in found:
                found[entry.fold] = entry
    return found


def _with_standing(
    reasons: list[Reason], standing: dict[str, Ledger], in_force: Collection[str]
) -> Iterator[Reason]:
    """The reasons, corrected by what stands there already, and those for what else does."""
    for reason in reasons:
        entry = standing.get(fold(reason.name))
        is_theirs = entry is not None and entry.origin != "ours"
        if is_theirs and reason.rule in (Rule.WRITTEN, "above"):
            yield replace(reason, rule="theirs", outcome=_THEIRS)
        else:
            yield reason
    named = {fold(reason.name) for reason in reasons}
    yield from (_left(entry, in_force) for key, entry in standing.items() if key not in named)


def _left(entry: Ledger, in_force: Collection[str]) -> Reason:
    """Why a tag stands there that no engine in force says."""
    if entry.origin != "ours":
        rule, outcome = "theirs", _THEIRS
    elif absent := [engine for engine in entry.engines if engine not in in_force]:
        rule = "kept"
        outcome = f"kept for {', '.join(absent)}, which is not in use: `tigertag undo --engine` takes it back"
    else:
        rule, outcome = "earlier", "written under earlier rules: the next `tigertag write` decides about it"
    return Reason(entry.name, "", None, entry.name, rule, outcome)


def _because(said: Said, policy: Policy, trusted: dict[str, float]) -> str:
    """The rule in words, with the setting that changes it."""
    engine, words, name = policy.engines[said.engine], policy.vocabulary, said.word.canonical
    variable = f"ENGINE_{said.engine.upper()}"
    below = said.word.min_confidence or 0
    sentences = {
        Rule.WRITTEN: "written",
        Rule.LANGUAGE: "another language is written",
        Rule.ENGINE_CONFIDENCE: f"below {engine.min_confidence:.0%} ({variable}_MIN_CONFIDENCE)",
        Rule.TAG_CONFIDENCE: f"below {below:.0%} (min_confidence of `{name}` in the vocabulary)",
        Rule.DENIED: "denied (deny in the vocabulary)",
        Rule.NOT_ALLOWED: "not among those allowed (allow in the vocabulary)",
        Rule.CATEGORY: f"`{name}` is a category: it only holds other tags (tags in the vocabulary)",
        Rule.REPEATED: f"said more surely under another name of `{name}`",
        Rule.AGREEMENT: (
            f"trusted {trusted.get(said.word.fold, 0):g} where {said.word.agree:g} is asked for "
            "(agree and trust in the vocabulary)"
        ),
        Rule.ENGINE_LIMIT: f"over {engine.max_tags} tags ({variable}_MAX_TAGS)",
        Rule.PHOTO_LIMIT: f"over {words.max_tags} tags a photo (max_tags in the vocabulary)",
    }
    return sentences[said.rule]


# ── the library ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag, on how many photos it was said, is wanted and is shown, and what kept it from the others."""

    name: str
    """As it is written, or would be."""
    own: str
    """The name that verdicts are about: without prefix, in no language."""
    kind: str
    said: int
    """Photos of which an engine says it; 0 for a tag that is only written above others."""
    photos: int
    """Photos that are to have it."""
    shown: int
    """Photos that show it somewhere."""
    engines: tuple[str, ...]
    """That want it, or else that say it."""
    under: tuple[str, ...]
    """The other names that it was said under."""
    kept_back: dict[str, int]
    """`Rule` → photos that it kept the tag from."""


@dataclass(slots=True)
class _Counting:
    """A tag while it is counted."""

    name: str
    own: str
    said: int = 0
    photos: int = 0
    wanting: set[str] = field(default_factory=set)
    saying: set[str] = field(default_factory=set)
    spellings: set[str] = field(default_factory=set)
    under: dict[str, str] = field(default_factory=dict)
    """Folded, and as it was said first."""
    kept_back: Counter[str] = field(default_factory=Counter)


def tags(app: App) -> list[TagCount]:
    """Every tag that engines said or that is written; those on most photos first."""
    counted: dict[tuple[str, str], _Counting] = {}
    with app.looking() as database, database.reading() as session:
        policy = app.policy_over(database)
        shown = find.shown_counts(session)
        for part in photos_by_part(session, list(policy.engines)):
            for photo in part:
                _count(counted, policy, photo.said)
    return [
        TagCount(
            each.name,
            each.own,
            kind,
            each.said,
            each.photos,
            shown.get(key, 0),
            tuple(sorted(each.wanting or each.saying)),
            tuple(sorted(each.under.values())),
            dict(sorted(each.kept_back.items())),
        )
        for (kind, key), each in sorted(
            counted.items(), key=lambda pair: (-pair[1].photos, -pair[1].said, pair[0][1])
        )
    ]


def _count(
    counted: dict[tuple[str, str], _Counting], policy: Policy, answers: dict[str, list[Annotation]]
) -> None:
    """Adds a photo."""
    rules: dict[tuple[str, str], set[Rule]] = {}
    weighed = policy.weigh(answers)
    for said in weighed:
        folded, tag = policy.tag(said.word, said.annotation.kind, said.engine)
        key = (tag.kind, folded)
        each = counted.get(key) or counted.setdefault(key, _Counting(tag.name, said.word.canonical))
        each.saying.add(said.engine)
        spelled = said.annotation.name
        if spelled not in (said.word.canonical, said.word.shown) and spelled not in each.spellings:
            each.spellings.add(spelled)
            if fold(spelled) not in (said.word.fold, fold(said.word.shown)):
                each.under.setdefault(fold(spelled), spelled)
        rules.setdefault(key, set()).add(said.rule)
    own = {word.fold: word.canonical for said in weighed for word in (said.word, *said.word.above)}
    want = {(tag.kind, tag.fold): tag for tag in tags_of(weighed, policy)}
    for key, tag in want.items():
        each = counted.setdefault(key, _Counting(tag.name, own[tag.canonical]))
        each.photos += 1
        each.wanting.update(tag.engines)
    for key, found in rules.items():
        counted[key].said += 1
        if key not in want:
            counted[key].kept_back.update(rule.value for rule in found - {Rule.WRITTEN})


@dataclass(frozen=True, slots=True)
class Spoken:
    """A photo, by one item where it lies, and what engines say of it."""

    item_id: int
    photo_id: int
    said: dict[str, list[Annotation]]


def photos_by_part(session: Session, engines: list[str]) -> Iterator[list[Spoken]]:
    """Every photo once, some hundred at a time."""
    seen: set[int] = set()
    for part in items.chunks(ledger.with_photo(session)):
        by_item = answers.said_of(session, part, engines)
        photo_of = {row_id: photo for row_id, (_, photo) in items.by_ids(session, part).items()}
        found = []
        for row_id, said in by_item.items():
            photo = photo_of[row_id]
            if photo is not None and photo not in seen:
                seen.add(photo)
                found.append(Spoken(row_id, photo, said))
        yield found
