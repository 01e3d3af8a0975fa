"""What every source promises. A plugin's tests subclass `SourceContract` and give it a `shelf`."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Protocol

import pytest
from PIL import Image

from tigertag.errors import PhotoError, TransientError
from tigertag.model import Source


def picture(red: int, green: int = 90, blue: int = 60, size: tuple[int, int] = (32, 24)) -> bytes:
    """A small JPEG in one colour; other numbers make another picture."""
    file = io.BytesIO()
    Image.new("RGB", size, (red, green, blue)).save(file, "JPEG")
    return file.getvalue()


class Shelf(Protocol):
    """Photos that stand somewhere, and sources that read them."""

    def add(self, path: str, content: bytes) -> None: ...
    def replace(self, path: str, content: bytes) -> None: ...
    def remove(self, path: str) -> None: ...

    def source(self) -> Source:
        """A newly built one each time; what is built is closed by the shelf."""
        ...


class SourceContract:
    """Override the fixture `shelf`; the photos it holds at first are none."""

    @pytest.fixture
    def shelf(self) -> Shelf:
        raise NotImplementedError

    def test_lists_each_photo_once_at_any_depth(self, shelf: Shelf) -> None:
        for number, path in enumerate(("loose.jpg", "Summer/a.jpg", "Summer/Sea/b.jpg")):
            shelf.add(path, picture(number))
        items = list(shelf.source().items())
        assert sorted(item.path for item in items) == ["Summer/Sea/b.jpg", "Summer/a.jpg", "loose.jpg"]
        assert len({item.key for item in items}) == 3

    def test_items_name_their_source_and_their_album(self, shelf: Shelf) -> None:
        shelf.add("Summer/Sea/b.jpg", picture(1))
        source = shelf.source()
        (item,) = source.items()
        assert (item.source, item.album) == (source.identity, "Summer/Sea")
        assert item.path.isprintable()
        assert item.moment is None or item.moment.utcoffset() == timedelta(0)

    def test_a_name_in_any_alphabet_is_listed_and_opened(self, shelf: Shelf) -> None:
        shelf.add("Été & co/müßig, 100% 海 🐕.jpg", picture(1))
        source = shelf.source()
        (item,) = source.items()
        with source.open(item) as file:
            assert (item.path, file.read()) == ("Été & co/müßig, 100% 海 🐕.jpg", picture(1))

    def test_opens_the_bytes_of_the_item_it_was_given(self, shelf: Shelf) -> None:
        for number in range(5):
            shelf.add(f"{number}.jpg", picture(number * 40))
        source = shelf.source()
        for item in source.items():
            with source.open(item) as file:
                assert file.read() == picture(int(item.path.removesuffix(".jpg")) * 40)

    def test_says_the_same_of_an_unchanged_photo_each_time(self, shelf: Shelf) -> None:
        shelf.add("Summer/a.jpg", picture(1))
        assert list(shelf.source().items()) == list(shelf.source().items())
        assert shelf.source().identity == shelf.source().identity

    def test_a_replaced_photo_keeps_its_key_and_gets_another_stamp(self, shelf: Shelf) -> None:
        shelf.add("a.jpg", picture(1))
        (before,) = shelf.source().items()
        shelf.replace("a.jpg", picture(200, size=(48, 40)))
        (after,) = shelf.source().items()
        assert after.key == before.key
        assert after.stamp != before.stamp

    def test_lists_what_came_and_not_what_went(self, shelf: Shelf) -> None:
        shelf.add("stays.jpg", picture(1))
        shelf.add("goes.jpg", picture(2))
        list(shelf.source().items())
        shelf.remove("goes.jpg")
        shelf.add("comes.jpg", picture(3))
        assert sorted(item.path for item in shelf.source().items()) == ["comes.jpg", "stays.jpg"]

    def test_a_photo_that_went_after_the_listing_is_an_error_of_that_photo(self, shelf: Shelf) -> None:
        shelf.add("a.jpg", picture(1))
        source = shelf.source()
        (item,) = source.items()
        shelf.remove("a.jpg")
        with pytest.raises((PhotoError, TransientError), match=r"a\.jpg"), source.open(item):
            pass

    def test_check_finds_nothing_wrong_and_closing_twice_is_harmless(self, shelf: Shelf) -> None:
        shelf.add("a.jpg", picture(1))
        source = shelf.source()
        findings = list(source.check())
        assert findings and all(finding.ok for finding in findings)
        source.close()
        source.close()
