"""A library, its owner's days and its nights of cron, beside the model of what was promised."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from tests.house import House, content_id
from tests.journeys.owner import PREFIX, Owner, Place, Rules, Said, canonical
from tests.stage import DAY, Mark, drawn, tag
from tigertag.errors import Incomplete, PhotoError, PluginDown, TigerTagError, TransientError, Unreachable
from tigertag.model import Annotation, Photo, Vocabulary

NAMES = ("dog", "cat", "sea", "sun", "tree", "boat", "car", "snow")
PHOTOS = 30
"""At the first night."""
A_YEAR = 1000
"""Requests: more than a month needs."""


def words(picture: int, engine: str, level: int) -> Said:
    """What an engine says about a picture: names, more and less sure, and one of this picture alone."""
    dice = random.Random(f"{picture} {engine} {level}")
    said = [(name, dice.randrange(30, 100)) for name in dice.sample(NAMES, dice.randrange(2, 5))]
    return (*said, (f"only{picture}", 99))


@dataclass
class Night:
    """A run of cron that is to come: what is in its way, and what it must end with."""

    kind: str
    code: int = 0
    is_whole: bool = True
    """Nothing keeps it from bringing all in line."""
    unlisted: frozenset[str] = frozenset()
    """Keys that the listing leaves out."""


@dataclass
class Library:
    """The house, its owner, and the dice that say what they do."""

    house: House
    dice: random.Random
    owner: Owner = field(default_factory=Owner)
    levels: dict[str, int] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)
    """By content id."""
    said: list[tuple[str, int, int]] = field(default_factory=list)
    """Engine, picture and level of each answer that was given, as the engines know it."""
    refused: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Times that an engine did not answer for a picture."""
    failed: set[tuple[str, int, int]] = field(default_factory=set)
    """Engine, picture and level of what is not to be asked again by itself."""
    away: dict[str, object] = field(default_factory=dict)
    """Photos that were deleted and may come back."""
    own: dict[str, set[str]] = field(default_factory=dict)
    """By key, names that no engine says and that the owner hung up."""
    kills: int = 0
    number: int = 0

    # ── engines ───────────────────────────────────────────────────────────────────────────────────────────

    def engine(self, name: str, **options: object) -> None:
        mind = self.house.engine(name, concurrency=1, **options)
        self.levels[name] = 0
        self.owner.rules[name] = Rules()
        mind.default = self._speaker(name)

    def _speaker(self, name: str) -> Callable[[Photo], list[Annotation]]:
        def speak(photo: Photo) -> list[Annotation]:
            picture = self.pictures[photo.content_id]
            self.said.append((name, picture, self.levels[name]))
            return [tag(word, percent) for word, percent in words(picture, name, self.levels[name])]

        return speak

    def refuses(self, name: str, error: Callable[[Photo], TigerTagError]) -> Callable[[Photo], Exception]:
        def refuse(photo: Photo) -> Exception:
            picture, found = self.pictures[photo.content_id], error(photo)
            self.refused[name, picture] += 1
            if isinstance(found, PhotoError):
                self.failed.add((name, picture, self.levels[name]))
            return found

        return refuse

    # ── photos ────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, picture: int | None = None) -> Place:
        """A photo under a new key: of a new picture, or a copy."""
        self.number += 1
        key = f"{self.number:04}"
        place = self.owner.places[key] = Place(key, picture or self.new_picture())
        self.put(key, place.picture)
        return place

    def new_picture(self) -> int:
        picture = len(self.pictures) + 1
        self.pictures[content_id(drawn(picture))] = picture
        return picture

    def put(self, key: str, picture: int, *, path: str = "", keyword: str = "") -> None:
        moment = DAY + timedelta(minutes=self.number + self.house.stage.shelf.stamps)
        self.house.stage.shelf.put(key, drawn(picture, keyword), path=path, moment=moment)

    def delete(self, place: Place) -> None:
        place.is_listed = False
        self.away[place.key] = self.house.stage.shelf.photos.pop(place.key)

    def bring_back(self, place: Place) -> None:
        place.is_listed, place.must_be_seen = True, True
        self.house.stage.shelf.photos[place.key] = self.away.pop(place.key)  # type: ignore[assignment]

    def give_key_away(self, place: Place) -> None:
        """Another photo gets the key, and hangs there as bare as it is."""
        wall = self.house.stage.wall
        other = self.owner.leave(place.key, self.new_picture())
        self.put(place.key, other.picture, path=f"Winter/{place.key}-{other.picture}.jpg")
        wall.tags[place.key], wall.mine[place.key], self.own[place.key] = {}, set(), set()

    def copies(self, place: Place) -> list[Place]:
        everywhere = (*self.owner.places.values(), *self.owner.former)
        return [each for each in everywhere if each is not place and each.picture == place.picture]

    def settled(self) -> list[Place]:
        """Places that were opened as they lie, and of which nothing is unseen or in doubt."""
        return [
            each
            for each in self.owner.listed()
            if each.opened == each.picture
            and each.is_readable
            and not (each.unseen or each.welcome or each.in_doubt)
        ]

    # ── the owner's days ──────────────────────────────────────────────────────────────────────────────────

    def own_tags(self) -> None:
        """Names that no engine says come and go at any time."""
        wall = self.house.stage.wall
        for place in self.dice.sample(list(self.owner.listed()), 3):
            mine = self.own.setdefault(place.key, set())
            if mine and self.dice.random() < 0.4:
                name = self.dice.choice(sorted(mine))
                mine.discard(name)
                place.shows.discard(name)
                wall.user_removes(place.key, name)
            else:
                name = f"mine {self.dice.randrange(1000)}"
                mine.add(name)
                place.shows.add(name)
                wall.user_adds(place.key, name)
            if place.shows:
                wall.user_recases(place.key, self.dice.choice(sorted(place.shows)))

    def engines_tags(self, *, is_seen_tonight: bool) -> None:
        """Names that engines say: taken off, put there again, put there first."""
        for place in self.dice.sample(self.settled(), 2):
            alone = not self.copies(place)
            ours = sorted(place.ours.keys() & place.shows)
            if len(ours) > 1 and (alone or is_seen_tonight):
                self._take_off(place, self.dice.choice(ours))
            elif place.theirs and alone:
                self._take_off(place, self.dice.choice(sorted(place.theirs)))
        for place in self.dice.sample(list(self.owner.listed()), 2):
            gone = sorted(place.unseen | {name for _, name, _ in place.verdicts.values()} - place.shows)
            if gone and not self.copies(place):
                self._hang_again(place, self.dice.choice(gone))
        for place in self.dice.sample(self.settled(), 2):
            name = self.dice.choice(("", PREFIX)) + self.dice.choice(NAMES)
            if name not in self.owner.wanted(place):
                self._hang(place, name)

    def _take_off(self, place: Place, name: str) -> None:
        place.shows.discard(name)
        self.house.stage.wall.user_removes(place.key, name)

    def _hang_again(self, place: Place, name: str) -> None:
        """Unless that would also let in what engines say under another name, as soon as anybody looks."""
        if {each for each in self.owner.wanted(place) if canonical(each) == canonical(name)} <= {name}:
            self._hang(place, name)

    def _hang(self, place: Place, name: str) -> None:
        if name not in place.shows:
            self.house.stage.wall.user_adds(place.key, name, doubtful=self.owner.adds(place, name))

    def new_photos(self, count: int) -> list[Place]:
        """Some of them with a tag that engines say, too."""
        found = [self.add() for _ in range(count)]
        for place in found[::2]:
            self._hang(place, self.dice.choice(NAMES))
        return found

    def moves(self) -> None:
        """Photos that are copied, moved, renamed, touched, deleted, brought back and replaced."""
        still = [each for each in self.settled() if not self.copies(each)]
        copied, moved, renamed, touched, replaced, given, *deleted = self.dice.sample(still, 8)
        shelf = self.house.stage.shelf
        self.add(copied.picture)
        self.delete(moved)
        self.away.pop(moved.key)
        self.add(moved.picture)
        shelf.photos[renamed.key].path = f"Autumn/{renamed.key}.jpg"
        self.put(touched.key, touched.picture, path=f"Spring/{touched.key}.jpg", keyword=f"x{self.number}")
        replaced.picture = self.new_picture()
        self.put(replaced.key, replaced.picture)
        self.give_key_away(given)
        back = [self.owner.places[key] for key in self.away]
        for place in deleted:
            self.delete(place)
        for place in self.dice.sample(back, min(2, len(back))):
            self.bring_back(place)

    # ── a night ───────────────────────────────────────────────────────────────────────────────────────────

    def faults(self, kind: str) -> Night:
        """Puts in the way of the coming run what its kind says."""
        stage, listed = self.house.stage, len(self.house.stage.shelf.photos)
        seer, other = self.house.mind("seer"), self.house.mind("other")
        is_asked = self.owner.rules["other"].is_enabled
        if kind == "the wall is down":
            stage.wall.down = Unreachable("Cannot reach the wall")
            return Night(kind, 5, is_whole=False)
        if kind in ("cut", "silent", "halved", "empty"):
            stage.shelf.cut_after = {"cut": 30, "silent": listed * 3 // 4, "halved": listed // 3, "empty": 0}[
                kind
            ]
            stage.shelf.cut = Incomplete("lists 30 of many") if kind == "cut" else None
            unlisted = frozenset(list(stage.shelf.photos)[stage.shelf.cut_after :])
            return Night(kind, {"cut": 3, "silent": 0}.get(kind, 9), is_whole=False, unlisted=unlisted)
        if kind in ("restored", "unanswered"):
            return Night(kind, 9, is_whole=False)
        if kind == "bad key":
            seer.down = PluginDown("seer rejected the key")
            return Night(kind, 4)
        if kind == "engine down":
            other.fails[""] = self.refuses("other", lambda photo: PluginDown("Cannot reach other"))
            return Night(kind, 4 if is_asked else 0)
        if kind == "photos fail":
            for place in self.new_photos(10):
                self._fails("other", place, lambda photo: PhotoError("other: 415", photo))
            return Night(kind, 3 if is_asked else 0)
        if kind == "hang":
            for name in ("seer", "other"):
                place = self.add()
                self._fails(name, place, lambda photo: TransientError("no answer in time", photo))
            return Night(kind, 3 if is_asked or seer.left else 0)
        if kind == "unreadable":
            place = self.add()
            place.is_readable = False
            stage.shelf.photos[place.key].error = PhotoError(f"{place.key} ends early")
            return Night(kind, 3)
        return Night(kind)

    def _fails(self, name: str, place: Place, error: Callable[[Photo], TigerTagError]) -> None:
        self.house.mind(name).fails[content_id(drawn(place.picture))] = self.refuses(name, error)

    def heal(self) -> None:
        stage = self.house.stage
        stage.wall.down = stage.wall.before_write = stage.shelf.cut_after = stage.shelf.cut = None
        for mind in stage.minds.values():
            mind.down = None
            mind.fails.clear()

    def between(self) -> None:
        """The owner hangs something up between our read and our write of a photo."""

        def edit(key: str) -> None:
            self.house.stage.wall.before_write = None
            self.own.setdefault(key, set()).add("in between")
            self.owner.places[key].shows.add("in between")
            self.house.stage.wall.user_adds(key, "in between")

        self.house.stage.wall.before_write = edit

    def learn(self) -> None:
        """What the engines answered since, and what a listing that was too short did not show."""
        told = dict.fromkeys(self.said)
        self.owner.answers = {}
        for name, picture, level in sorted(told, key=lambda each: each[2]):
            self.owner.answers.setdefault((name, picture), []).append(words(picture, name, level))

    def waiting(self, name: str) -> set[int]:
        """Pictures of live places that this engine has not answered."""
        level = self.levels[name]
        pictures = {each.opened for each in self.owner.listed() if each.is_readable and each.opened is not None}
        return {each for each in pictures if not {(name, each, level)} & (set(self.said) | self.failed)}

    def differences(self) -> Iterator[str]:
        """Places that do not show what the model says."""
        for place in self.owner.places.values():
            shown = self.house.stage.wall.of(place.key)
            self.owner.adopt(place, shown)
            if shown != place.shows:
                missing, too_much = sorted(place.shows - shown), sorted(shown - place.shows)
                yield f"{place.key}: missing {missing}, too much {too_much}"

    def written(self) -> list[Mark]:
        return [mark for mark in self.house.stage.wall.marks if mark.by == "us"]

    def change(self, kind: str) -> None:
        """Changes of settings."""
        house, rules = self.house, self.owner.rules
        if kind == "threshold":
            rules["seer"].percent = 0 if rules["seer"].percent else 60
            house.change("seer", min_confidence=rules["seer"].percent)
        elif kind == "prefix":
            rules["other"].prefix = "" if rules["other"].prefix else PREFIX
            house.change("other", prefix=rules["other"].prefix.rstrip("_"))
        elif kind == "vocabulary":
            self.owner.denied = set() if self.owner.denied else {"sun", "boat"}
            house.vocabulary = Vocabulary(deny=frozenset(self.owner.denied))
        elif kind == "revision":
            self.levels["other"] += 1
            house.change("other", level=self.levels["other"])
        elif kind == "engine added" and "third" not in rules:
            self.engine("third")
        elif kind == "engine removed":
            rules["other"].is_enabled = not rules["other"].is_enabled
            house.enable("other", rules["other"].is_enabled)
