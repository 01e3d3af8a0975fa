"""Numbers, moments and tables as people read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len

from tigertag.cli.screen import visible


def counted(number: int, one: str, many: str = "") -> str:
    """`1 photo`, `1,702 tags`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """`0.4 s`, `2 min 51 s`, `3 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    return f"{hours:,} h {left} min" if hours else f"{minutes} min {rest} s"


def calls_left(left: int, limit: int, per: str) -> str:
    """`213 of 300 calls left today`."""
    return f"{left:,} of {limit:,} calls left {'today' if per == 'day' else 'this month'}"


def local(moment: datetime | None) -> str:
    """In the time zone of whoever reads it; empty for none."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def percent(share: float) -> str:
    """`98 %`; never 100 for less than that."""
    rounded = round(share * 100)
    return f"{99 if rounded == 100 and share < 1 else rounded} %"


def listed(parts: Sequence[str]) -> str:
    """`a · b · c`, without what is empty."""
    return " · ".join(part for part in parts if part)


def place(url: str) -> str:
    """Where a database is: the path of a file, else its URL."""
    return visible(url.removeprefix("sqlite:///"))


def named(path: str, reason: str) -> str:
    """A fault with the name of what it is about, which many reasons hold already."""
    return visible(reason if path in reason else f"{path}: {reason}")


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = (), *, right: str = "") -> list[str]:
    """Lines with aligned columns, the last as long as it is. `right` has an `r` for each column of numbers."""
    cells = [[visible(cell) for cell in each] for each in (*([header] if header else []), *rows)]
    if not cells:
        return []
    widths = [max(cell_len(each[column]) for each in cells) for column in range(len(cells[0]))]
    return [
        "  ".join(
            _padded(cell, width, right[at : at + 1] == "r") for at, (cell, width) in enumerate(pairs)
        ).rstrip()
        for pairs in (list(zip(each, widths, strict=True)) for each in cells)
    ]


def _padded(cell: str, width: int, to_the_right: bool) -> str:
    blank = " " * (width - cell_len(cell))
    return blank + cell if to_the_right else cell + blank
