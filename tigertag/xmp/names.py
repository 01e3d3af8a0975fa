"""How the properties that TigerTag reads and writes are called in XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tigertag.xmp.fields import NAMESPACE, Field
from tigertag.xmp.provenance import PROPERTIES

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML = "http://www.w3.org/XML/1998/namespace"


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
NAMES: Mapping[Field, Name] = {
    Field.SUBJECT: Name(_DC, "dc", "subject"),
    Field.TAGS_LIST: Name("http://www.digikam.org/ns/1.0/", "digiKam", "TagsList"),
    Field.HIERARCHY: Name("http://ns.adobe.com/lightroom/1.0/", "lr", "hierarchicalSubject"),
    Field.LAST_KEYWORDS: Name("http://ns.microsoft.com/photo/1.0/", "MicrosoftPhoto", "LastKeywordXMP"),
    Field.CATALOG_SETS: Name("http://ns.iview-multimedia.com/mediapro/1.0/", "mediapro", "CatalogSets"),
}
CAPTION = Name(_DC, "dc", "description")
OURS: Mapping[str, Name] = {local: Name(NAMESPACE, "tigertag", local) for local in PROPERTIES}

KNOWN: Mapping[tuple[str, str], Name] = {
    (space, name.local): name
    for name in (*NAMES.values(), *OURS.values(), CAPTION)
    for space in name.namespaces
}
"""Namespace and local name of all that is read, under all of its names."""
