"""The pages for users, README.md and docs/, as tests read them: sections, code, tables, links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
README = PAGES["README.md"]
EVERY_PAGE = "\n".join(PAGES.values())


def page(name: str) -> str:
    """A page of docs/, by its name without the ending."""
    return PAGES[f"docs/{name}.md"]


def section(title: str, text: str = README) -> str:
    """What stands below a heading, to the next of its rank or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n", text, re.M)
    assert found, f"there is no heading {title}"
    return re.split(rf"^#{{1,{len(found[1])}}} ", text[found.end() :], maxsplit=1, flags=re.M)[0]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def shell_lines(text: str) -> list[str]:
    """The lines of the shell blocks without their comments."""
    return [line.partition("  #")[0] for block in blocks(text, "sh") for line in block.splitlines()]


def prose(text: str) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def code(text: str) -> list[str]:
    """What stands as code within the prose."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables of a text by what stands as code in the first cell; cells after it as they are."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for name in re.findall(r"`([^`]+)`", cells[0]) if cells else ():
            found[name] = cells[1:]
    return found


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", prose(text))


def anchors(text: str) -> set[str]:
    """What `#…` may name on a page: the slugs of its headings, and places that it marks."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.M)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', prose(text)))
