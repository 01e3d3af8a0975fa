"""The hierarchy that ships with the program: common words for what photos show, and what lies above them.

Made from WordNet by `tools/base_hierarchy.py`; see LICENSE.wordnet beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def base_parents() -> Mapping[str, str]:
    """Each name with the one above it. Without circles."""
    text = Path(__file__).with_name("base.tsv").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: parent for name, parent in lines}
