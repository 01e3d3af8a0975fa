"""An XMP packet: read as fields, edited in place, so that all that is not ours stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.dom.minidom import Document, Element

from tigertag.model import fold
from tigertag.xmp import dom
from tigertag.xmp.dom import BadPacket
from tigertag.xmp.fields import NAMESPACE, ORDERED, Field, Fields
from tigertag.xmp.provenance import PROPERTIES, from_properties, to_properties

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_XMLNS = "http://www.w3.org/2000/xmlns/"


@dataclass(frozen=True, slots=True)
class Name:
    """A property's name."""

    namespace: str
    prefix: str
    local: str

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Also without its last slash: so exiftool writes Microsoft's, which Windows and digiKam write with it
        (drewnoakes/metadata-extractor-dotnet#271)."""
        return tuple(dict.fromkeys((self.namespace, self.namespace.rstrip("/"))))


_DC = "http://purl.org/dc/elements/1.1/"
NAMES = {
    Field.SUBJECT: Name(_DC, "dc", "subject"),
    Field.TAGS_LIST: Name("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList"),
    Field.HIERARCHY: Name("http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject"),
    Field.LAST_KEYWORDS: Name("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto", "LastKeywordXMP"),
    Field.CATALOG_SETS: Name("http://ns.iview-multimedia.com/mediapro/1.0/", "mediapro", "CatalogSets"),
}
_CAPTION = Name(_DC, "dc", "description")
_OURS = {local: Name(NAMESPACE, "tigertag", local) for local in PROPERTIES}

_KNOWN = {
    (space, name.local): (name.namespace, name.local)
    for name in (*NAMES.values(), *_OURS.values(), _CAPTION)
    for space in name.namespaces
}
"""What is read, under all of its names."""

_EMPTY = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="TigerTag">
 <rdf:RDF xmlns:rdf="{rdf}">
  <rdf:Description rdf:about="" {namespaces}/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


class Packet:
    """A packet as a tree."""

    def __init__(self, document: Document, root: Element) -> None:
        self._document = document
        self._rdf = root

    @classmethod
    def parse(cls, source: bytes) -> Packet:
        """Raises BadPacket."""
        document = dom.parse(source)
        every = dom.elements(document.documentElement)
        root = next((node for node in every if dom.is_named(node, _RDF, "RDF")), None)
        if root is None:
            raise BadPacket("it holds no rdf:RDF")
        return cls(document, root)

    @classmethod
    def new(cls) -> Packet:
        names = {name.prefix: name.namespace for name in (*NAMES.values(), *_OURS.values())}
        declared = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in names.items())
        return cls.parse(_EMPTY.format(rdf=_RDF, namespaces=declared).encode())

    def to_bytes(self) -> bytes:
        return dom.to_bytes(self._document)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not any(
            dom.children(each) or any(_is_property(*pair) for pair in each.attributes.itemsNS())
            for each in self._descriptions()
        )

    def fields(self) -> Fields:
        kept = self._kept()
        values = {each: tuple(kept.get((name.namespace, name.local), ())) for each, name in NAMES.items()}
        ours = {local: kept.get((name.namespace, name.local), ()) for local, name in _OURS.items()}
        return Fields(
            {each: found for each, found in values.items() if found},
            self._caption(),
            from_properties(ours),
        )

    def apply(self, fields: Fields) -> None:
        """Makes `fields` true. What already is stays untouched, down to its blanks and qualifiers."""
        now = self.fields()
        for each, name in NAMES.items():
            if now.of(each) != fields.of(each):
                self._set_values(name, fields.of(each), "Seq" if each in ORDERED else "Bag")
        if now.caption != fields.caption:
            self._set_caption(fields.caption)
        before, after = to_properties(now.provenance), to_properties(fields.provenance)
        for local, name in _OURS.items():
            if before.get(local) != after.get(local):
                self._set_values(name, (), "Bag")
                self._set_values(name, after.get(local, ()), "Bag")

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────

    def _descriptions(self) -> list[Element]:
        return [node for node in dom.children(self._rdf) if dom.is_named(node, _RDF, "Description")]

    def _properties(self, name: Name) -> list[Element]:
        return [
            node
            for each in self._descriptions()
            for node in dom.children(each)
            if node.namespaceURI in name.namespaces and node.localName == name.local
        ]

    def _kept(self) -> dict[tuple[str, str], list[str]]:
        """The values of all properties that concern us, in one walk: of a list, a text or an attribute."""
        found: dict[tuple[str, str], list[str]] = {}
        for each in self._descriptions():
            for (space, local), value in each.attributes.itemsNS():
                if name := _KNOWN.get((space or "", local)):
                    found.setdefault(name, []).extend(_if_any(value))
            for node in dom.children(each):
                if name := _KNOWN.get((node.namespaceURI or "", node.localName or "")):
                    items = list(_items(node))
                    values = map(_value, items) if items else [dom.text_of(node)]
                    found.setdefault(name, []).extend(value for one in values for value in _if_any(one))
        return found

    def _caption(self) -> str:
        for node in self._properties(_CAPTION):
            items = list(_items(node))
            best = next((item for item in items if _is_default(item)), items[0] if items else node)
            if found := _value(best).strip():
                return found
        return next(iter(self._kept().get((_CAPTION.namespace, _CAPTION.local), ())), "")

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
            lists = [dom.create(node, _RDF, "rdf", container)]
            dom.append(node, lists[0], "    ")
        for value in values:
            item = dom.create(lists[0], _RDF, "rdf", "li")
            dom.set_text(item, value)
            dom.append(lists[0], item, "     ")

    def _set_caption(self, text: str) -> None:
        for node in self._properties(_CAPTION):
            for item in [each for each in _items(node) if _is_default(each)]:
                dom.remove(item)
        self._drop_simple(_CAPTION)
        self._drop_hollow(_CAPTION)
        if text:
            self._add_items(_CAPTION, [text], "Alt")
            item = next(each for node in self._properties(_CAPTION) for each in list(_items(node))[-1:])
            item.setAttributeNS(_XML, "xml:lang", "x-default")

    def _drop_simple(self, name: Name) -> None:
        """Takes out what is no list: it is written anew as one."""
        for each in self._descriptions():
            for namespace in name.namespaces:
                if each.hasAttributeNS(namespace, name.local):
                    each.removeAttributeNS(namespace, name.local)
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
        node = dom.create(self._rdf, _RDF, "rdf", "Description")
        prefix = node.tagName.rpartition(":")[0]
        node.setAttributeNS(_RDF, f"{prefix}:about", "")
        dom.append(self._rdf, node, "  ")
        return node


def _items(node: Element) -> Iterator[Element]:
    """The `rdf:li` of a list."""
    for container in dom.children(node):
        yield from (each for each in dom.children(container) if dom.is_named(each, _RDF, "li"))


def _value(item: Element) -> str:
    """An item's text, also where it is qualified."""
    if not dom.children(item):
        return dom.text_of(item)
    inner = next((each for each in dom.elements(item) if dom.is_named(each, _RDF, "value")), None)
    return dom.text_of(item if inner is None else inner)


def _is_default(item: Element) -> bool:
    return item.getAttributeNS(_XML, "lang").casefold() in ("", "x-default")


def _if_any(value: str) -> Iterator[str]:
    if value.strip():
        yield value.strip()


def _is_property(name: tuple[str | None, str], value: str) -> bool:
    return name[0] not in (_XMLNS, _RDF, _XML)
