"""What the nodes of a document looked like where they were read, so that they can be written as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.dom.minidom import CDATASection, Comment, Document, Element, Node, ProcessingInstruction, Text
from xml.parsers.expat import ParserCreate

Span = tuple[int, int]
"""From which byte to which."""

_TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")


@dataclass(slots=True)
class Verbatim:
    """The text of nodes as it was read. What is not known here is new, or was changed."""

    before: str = ""
    """What stands before the outermost element."""
    after: str = ""
    _texts: dict[Node, str] = field(default_factory=dict)
    """Of elements their first tag."""
    _ends: dict[Node, str] = field(default_factory=dict)
    _empty: set[Node] = field(default_factory=set)
    """Elements that had nothing between their tags."""

    def text(self, node: Node) -> str | None:
        return self._texts.get(node)

    def tags(self, node: Element) -> tuple[str, str] | None:
        """The tags around what is in an element now; the second is empty where the first closes it, too."""
        first, last = self._texts.get(node), self._ends.get(node, "")
        if first is None:
            return None
        if node.childNodes and not last:
            return f"{first[:-2]}>", f"</{node.tagName}>"
        if not node.childNodes and last and node not in self._empty:
            return f"{first[:-1]}/>", ""
        return first, last

    def forget(self, node: Node) -> None:
        """Its attributes are others now."""
        self._texts.pop(node, None)


def verbatim(document: Document, source: bytes) -> Verbatim | None:
    """None where it is not in UTF-8, in which it is written. `document` must be what `source` says."""
    if (document.encoding or "utf-8").casefold() != "utf-8" or not _is_utf8(source):
        return None
    tokens, ends = _markup(source)
    spans: dict[Node, Span] = {}
    closing: dict[Node, Span] = {}
    for number, node in enumerate(_in_order(document)):
        spans[node] = tokens[number]
        if number in ends:
            closing[node] = ends[number]
    top = document.documentElement
    assert top is not None
    found = Verbatim(source[: spans[top][0]].decode(), source[closing[top][1] :].decode())
    for node, (start, stop) in spans.items():
        found._texts[node] = source[start:stop].decode()
    for node, (start, stop) in closing.items():
        found._ends[node] = source[start:stop].decode()
        if spans[node][1] == start:
            found._empty.add(node)
        for each, begin, end in _gaps(node, spans, closing):
            found._texts[each] = source[begin:end].decode()
    return found


def _is_utf8(source: bytes) -> bool:
    try:
        return "\0" not in source.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _markup(source: bytes) -> tuple[list[Span], dict[int, Span]]:
    """Where first tags, comments and instructions stand, in order; where the elements among them end."""
    tokens: list[Span] = []
    ends: dict[int, Span] = {}
    inside: list[int] = []
    parser = ParserCreate()

    def start(name: str, attributes: object) -> None:
        at = parser.CurrentByteIndex
        tag = _TAG.match(source, at)
        assert tag is not None
        inside.append(len(tokens))
        tokens.append((at, tag.end()))

    def end(name: str) -> None:
        number, at = inside.pop(), parser.CurrentByteIndex
        stop = tokens[number][1]
        closes_itself = source[stop - 2 : stop] == b"/>"
        ends[number] = (stop, stop) if closes_itself else (at, source.index(b">", at) + 1)

    def remark(data: str) -> None:
        at = parser.CurrentByteIndex
        tokens.append((at, source.index(b"-->", at + 4) + 3))

    def instruction(target: str, data: str) -> None:
        at = parser.CurrentByteIndex
        tokens.append((at, source.index(b"?>", at) + 2))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CommentHandler, parser.ProcessingInstructionHandler = remark, instruction
    parser.Parse(source, True)
    return tokens, ends


def _in_order(top: Node) -> Iterator[Node]:
    """Elements, comments and instructions below a node, each before what is in it."""
    for node in top.childNodes:
        if isinstance(node, Element | Comment | ProcessingInstruction):
            yield node
        if isinstance(node, Element):
            yield from _in_order(node)


def _gaps(parent: Node, spans: dict[Node, Span], closing: dict[Node, Span]) -> Iterator[tuple[Node, int, int]]:
    """The texts of an element between its markup. Beside a CDATA section nobody can tell where one ends."""
    nodes = parent.childNodes
    if any(isinstance(each, CDATASection) for each in nodes):
        return
    for number, node in enumerate(nodes):
        if isinstance(node, Text):
            left, right = nodes[number - 1] if number else None, nodes[number + 1 : number + 2]
            begin = spans[parent][1] if left is None else closing.get(left, spans[left])[1]
            yield node, begin, spans[right[0]][0] if right else closing[parent][0]
