"""An XMP packet: read as fields, edited in place, so that all that is not ours stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from xml.dom.minidom import Document, Element
from xml.etree import ElementTree

from tigertag.model import fold
from tigertag.xmp import dom, reading
from tigertag.xmp.fields import ORDERED, Fields
from tigertag.xmp.names import CAPTION, KNOWN, NAMES, OURS, RDF, XML, Name
from tigertag.xmp.provenance import to_properties
from tigertag.xmp.verbatim import Verbatim, verbatim

_XMLNS = "http://www.w3.org/2000/xmlns/"

_EMPTY = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="TigerTag">
 <rdf:RDF xmlns:rdf="{rdf}">
  <rdf:Description rdf:about="" {namespaces}/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


class Packet:
    """A packet; the tree that can be edited is made when it is asked for."""

    def __init__(self, source: bytes, root: ElementTree.Element) -> None:
        self._source = source
        self._read: ElementTree.Element | None = root
        self._document: Document | None = None
        self._as_read: Verbatim | None = None
        self._found: dict[Name, list[Element]] = {}

    @classmethod
    def parse(cls, source: bytes) -> Packet:
        """Raises BadPacket."""
        return cls(source, reading.tree(source))

    @classmethod
    def new(cls) -> Packet:
        names = {name.prefix: name.namespace for name in (*NAMES.values(), *OURS.values())}
        declared = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in names.items())
        return cls.parse(_EMPTY.format(rdf=RDF, namespaces=declared).encode())

    def to_bytes(self) -> bytes:
        return dom.to_bytes(self._editable(), self._as_read)

    @property
    def root(self) -> ElementTree.Element:
        """The element `rdf:RDF`, to be read."""
        if self._read is None:
            self._read = reading.tree(self.to_bytes())
        return self._read

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not any(
            dom.children(each) or any(_is_property(*pair) for pair in each.attributes.itemsNS())
            for each in self._descriptions()
        )

    def fields(self) -> Fields:
        return reading.fields(self.root)

    def apply(self, fields: Fields) -> None:
        """Makes `fields` true. What already is stays untouched, down to its blanks and qualifiers."""
        now = self.fields()
        self._find()
        self._read = None
        for each, name in NAMES.items():
            if now.of(each) != fields.of(each):
                self._set_values(name, fields.of(each), "Seq" if each in ORDERED else "Bag")
        if now.caption != fields.caption:
            self._set_caption(fields.caption)
        before, after = to_properties(now.provenance), to_properties(fields.provenance)
        for local, name in OURS.items():
            if before.get(local) != after.get(local):
                self._set_values(name, (), "Bag")
                self._set_values(name, after.get(local, ()), "Bag")

    # ── finding ───────────────────────────────────────────────────────────────────────────────────────────

    def _editable(self) -> Document:
        if self._document is None:
            self._document = dom.parse(self._source)
            self._as_read = verbatim(self._document, self._source)
        return self._document

    def _rdf(self) -> Element:
        every = dom.elements(self._editable().documentElement)
        return next(node for node in every if dom.is_named(node, RDF, "RDF"))

    def _descriptions(self) -> list[Element]:
        return [node for node in dom.children(self._rdf()) if dom.is_named(node, RDF, "Description")]

    def _find(self) -> None:
        """Notes where the properties stand that may be changed."""
        self._found = {}
        for each in self._descriptions():
            for node in dom.children(each):
                if name := KNOWN.get((node.namespaceURI or "", node.localName or "")):
                    self._found.setdefault(name, []).append(node)

    def _properties(self, name: Name) -> list[Element]:
        return [node for node in self._found.get(name, ()) if node.parentNode is not None]

    # ── writing ───────────────────────────────────────────────────────────────────────────────────────────

    def _set_values(self, name: Name, values: Iterable[str], container: str) -> None:
        """Items that stay are left as they are, with their qualifiers; those that go take their blanks."""
        new = list(values)
        left = Counter(map(fold, new))
        for node in self._properties(name):
            for item in list(_items(node)):
                key = fold(_value(item).strip())
                if left[key]:
                    left[key] -= 1
                    new.pop(next(at for at, value in enumerate(new) if fold(value) == key))
                else:
                    dom.remove(item)
        self._drop_simple(name)
        if new:
            self._add_items(name, new, container)
        self._drop_hollow(name)

    def _add_items(self, name: Name, values: Iterable[str], container: str) -> None:
        lists = [each for node in self._properties(name) for each in dom.children(node)]
        if not lists:
            home = self._home()
            node = dom.create(home, name.namespace, name.prefix, name.local)
            dom.append(home, node, "   ")
            self._found.setdefault(name, []).append(node)
            lists = [dom.create(node, RDF, "rdf", container)]
            dom.append(node, lists[0], "    ")
        for item in dom.create_all(lists[0], RDF, "rdf", "li", values):
            dom.append(lists[0], item, "     ")

    def _set_caption(self, text: str) -> None:
        for node in self._properties(CAPTION):
            for item in [each for each in _items(node) if _is_default(each)]:
                dom.remove(item)
        self._drop_simple(CAPTION)
        self._drop_hollow(CAPTION)
        if text:
            self._add_items(CAPTION, [text], "Alt")
            item = next(each for node in self._properties(CAPTION) for each in list(_items(node))[-1:])
            item.setAttributeNS(XML, "xml:lang", "x-default")

    def _drop_simple(self, name: Name) -> None:
        """Takes out what is no list: it is written anew as one."""
        for each in self._descriptions():
            for namespace in name.namespaces:
                if each.hasAttributeNS(namespace, name.local):
                    each.removeAttributeNS(namespace, name.local)
                    if self._as_read is not None:
                        self._as_read.forget(each)
        for node in self._properties(name):
            if not dom.children(node):
                dom.remove(node)

    def _drop_hollow(self, name: Name) -> None:
        for node in self._properties(name):
            if not any(True for _ in _items(node)):
                dom.remove(node)

    def _home(self) -> Element:
        """The description that new properties go into."""
        there = self._descriptions()
        if there:
            return there[0]
        top = self._rdf()
        node = dom.create(top, RDF, "rdf", "Description")
        prefix = node.tagName.rpartition(":")[0]
        node.setAttributeNS(RDF, f"{prefix}:about", "")
        dom.append(top, node, "  ")
        return node


def _items(node: Element) -> Iterator[Element]:
    """The `rdf:li` of a list."""
    for container in dom.children(node):
        yield from (each for each in dom.children(container) if dom.is_named(each, RDF, "li"))


def _value(item: Element) -> str:
    """An item's text, also where it is qualified."""
    if not dom.children(item):
        return dom.text_of(item)
    inner = next((each for each in dom.elements(item) if dom.is_named(each, RDF, "value")), None)
    return dom.text_of(item if inner is None else inner)


def _is_default(item: Element) -> bool:
    return item.getAttributeNS(XML, "lang").casefold() in ("", "x-default")


def _is_property(name: tuple[str | None, str], value: str) -> bool:
    return name[0] not in (_XMLNS, RDF, XML)
