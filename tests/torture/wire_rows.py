"""What each fault on the wire must come to: the rows of the failure catalogue, as exit codes and words.

The first row that fits a trial holds. A row without words is one where the tries within a run are enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SILENT = "stall|drip"
_RESET = "reset before the work|reset after the work"
_BROKEN = "cut|length too long"
_UNREADABLE = "length too short|HTML|empty|1 GB|nested|wrong types|entities"
_PASSING = "429.*|50[0-4]"


@dataclass(frozen=True)
class Row:
    """`kinds` and `faults` are patterns of what a trial's boundary and fault are called, `words` of a line."""

    name: str
    kinds: str
    faults: str
    codes: tuple[int, ...] = (0,)
    words: str = ""
    phases: str = ".*"
    fails: bool = False
    """Photos fail for good: they are asked again only where a person says so."""

    def fits(self, boundary: str, fault: str, phase: str) -> bool:
        return all(
            re.fullmatch(pattern, text)
            for pattern, text in ((self.kinds, boundary), (self.faults, fault), (self.phases, phase))
        )


def row_of(boundary: str, fault: str, phase: str) -> Row:
    return next(row for row in ROWS if row.fits(boundary, fault, phase))


def _engines() -> Iterator[Row]:
    refused = r"Cannot reach {0} at http\S+ \((connection refused|no such host)\)"
    # A server of OpenAI's API is called by its model.
    names = {"Imagga": "Imagga", "CompreFace": "CompreFace", "OpenAI": "gemma3:4b"}
    for kinds, name in ((f"{service} .*", name) for service, name in names.items()):
        yield Row("E1", kinds, "refused|no such host", (4,), refused.format(name))
        yield Row("E1", kinds, "certificate", (4,), f"certificate of {name} at https:")
        yield Row("E13", kinds, "redirect.*", (4,), r"unexpected redirect to (127\.0\.0\.1|file:|169\.254)")


def _imagga() -> Iterator[Row]:
    usage, tags = "Imagga usage", "Imagga tags"
    yield Row("E5", "Imagga .*", f"({_PASSING}).*(once|in a burst)")
    yield Row("E3", usage, f"({_RESET}|{_SILENT}|{_BROKEN}), once")
    yield Row("E3", usage, f"({_RESET}|{_SILENT}|{_BROKEN}), for ever", (4,), "gave no whole answer")
    yield Row("E3", usage, f"({_UNREADABLE}), .*", (4,), "could not be read")
    yield Row("E2", usage, "40[13], .*", (4,), "Imagga rejected the API key")
    yield Row("E3", usage, "402, .*", (4,), "Imagga asks for payment")
    yield Row("E3", usage, ".*", (4,), "does not say what is left")
    yield Row("E6", tags, f"({_RESET}|{_SILENT}), once")
    yield Row("E6", tags, f"({_RESET}|{_SILENT}), for ever", (3,), r"IMG_\d\.jpg: .*maybe billed")
    yield Row(
        "E7", tags, f"({_BROKEN}|{_UNREADABLE}), .*", (3,), r"IMG_\d.jpg: .*could not be read", fails=True
    )
    yield Row("E2", tags, "40[13], .*", (4,), "Imagga rejected the API key")
    yield Row("E3", tags, "402, .*", (0,), r"waiting +\d for imagga \(quota; next on")
    yield Row("E13", tags, "404, .*", (4,), r"does not know /tags \(404\)")
    yield Row("E9", tags, "4(13|14|15|22), .*", (3,), r"IMG_\d.jpg: Imagga refused it \(4", fails=True)
    yield Row("E4", tags, "429.*, for ever", (4,), "too much to do")
    yield Row("E5", tags, "50., for ever", (3,), r"IMG_\d.jpg: Imagga cannot answer now \(50")


def _openai() -> Iterator[Row]:
    models, chat = "OpenAI models", "OpenAI chat"
    yield Row("E5", "OpenAI .*", f"({_PASSING}).*(once|in a burst)")
    yield Row("E5", models, f"({_RESET}|{_SILENT}|{_BROKEN}), once")
    yield Row("E5", models, f"({_RESET}|{_SILENT}|{_BROKEN}), for ever", (4,), "gave no whole answer")
    # Who lists no models may be a good server all the same.
    yield Row("E7", models, "wrong types, .*|404, .*")
    yield Row("E7", models, "1 GB, .*", (4,), "could not be read")
    yield Row("E7", models, f"({_UNREADABLE}), .*", (4,), "is no server with models")
    yield Row(
        "E3", models, "402, .*", (0,), r"waiting +\d for openai \(\S+ asks for payment .*until it is paid"
    )
    yield Row("E4", models, "429.*, for ever", (4,), "too much to do")
    yield Row("E5", models, "50., for ever", (4,), r"cannot answer now \(50")
    yield Row("E2", "OpenAI .*", "40[13], .*", (4,), "rejected the API key")
    yield Row("E9", models, "4.*", (4,), r"does not know /models \(4")
    yield Row("E6", chat, f"({_RESET}|{_SILENT}), once")
    yield Row("E6", chat, f"({_RESET}|{_SILENT}), for ever", (3,), r"IMG_\d\.jpg: .*maybe billed")
    yield Row(
        "E7", chat, f"({_BROKEN}|{_UNREADABLE}), .*", (3,), r"IMG_\d.jpg: .*could not be read", fails=True
    )
    yield Row("E3", chat, "402, .*", (0,), r"waiting +\d for openai \(\S+ asks for payment .*until it is paid")
    yield Row("E13", chat, "404, .*", (4,), r"does not know /chat/completions \(404")
    yield Row("E9", chat, "4(13|14|15|22), .*", (3,), r"IMG_\d.jpg: gemma3:4b refused it \(4", fails=True)
    yield Row("E4", chat, "429.*, for ever", (4,), "too much to do")
    yield Row("E5", chat, "50., for ever", (3,), r"IMG_\d.jpg: gemma3:4b cannot answer now \(50")


def _compreface() -> Iterator[Row]:
    every, start, recognise = (
        "CompreFace .*",
        "CompreFace (status|config|subjects|examples)",
        "CompreFace recognise",
    )
    yield Row("E8", "CompreFace (status|config)", "wrong types, .*")
    passing = f"{_PASSING}.*|{_RESET}|{_SILENT}|{_BROKEN}|{_UNREADABLE}"
    yield Row("E5", every, f"({passing}).*(once|in a burst)")
    yield Row("E4", every, "429.*for ever", (4,), "CompreFace answered 429 .* too much to do")
    yield Row("E5", start, "50.*for ever", (4,), r"CompreFace answered 50\d.*log")
    yield Row("E6", start, f"({_RESET}|{_SILENT}|{_BROKEN}), for ever", (4,), "gave no whole answer.*log")
    yield Row("E7", start, f"({_UNREADABLE}), for ever", (4,), "could not be read.*log")
    yield Row("E2", every, "40[123], .*", (4,), "denied access")
    yield Row("E2", every, "404, .*", (4,), "does not answer as CompreFace does")
    yield Row("E9", start, "4.*", (4,), r"refused GET /api/v1/")
    yield Row("E5", recognise, "50.*for ever", (3,), r"IMG_\d.jpg: CompreFace answered 50\d")
    yield Row(
        "E6", recognise, f"({_RESET}|{_SILENT}|{_BROKEN}), for ever", (3,), r"IMG_\d.jpg: .*no whole answer"
    )
    yield Row("E7", recognise, f"({_UNREADABLE}), for ever", (3,), r"IMG_\d.jpg: .*could not be read")
    yield Row("E9", recognise, "4.*", (3,), r"IMG_\d.jpg: .*CompreFace", fails=True)


def _plex() -> Iterator[Row]:
    every, edit = "Plex .*", "Plex tag edit"
    # The last list of a scan only counts the clips, which nobody needs to know.
    yield Row("P8", "Plex listing page", "(?!refused|no such host|certificate).*", phases="last")
    yield Row("P1", every, "refused|no such host", (5,), r"Cannot reach Plex at http\S+ \((conn|no such)")
    yield Row("P19", every, "certificate", (5,), "The certificate of Plex at https:.* cannot be trusted")
    yield Row(
        "E13", every, "redirect.*", (5,), r"unexpected redirect to (127\.0\.0\.1|another address|169\.254)"
    )
    yield Row("P2", "Plex (identity|section list)", "401, .*", (2,), r"Plex rejected the token \(PLEX_TOKEN\)")
    yield Row("P2", every, "401, .*", (5,), "Plex at .* rejected the token in the middle of the run")
    # An edit that was made is found by reading, whatever its answer was.
    yield Row("P13", edit, f"(reset after the work|{_SILENT}|{_BROKEN}|{_UNREADABLE}), .*")
    broken = f"{_RESET}|{_SILENT}|{_BROKEN}|{_UNREADABLE}"
    yield Row("P4", every, f"({_PASSING}|{broken}).*(once|in a burst)")
    for kinds in ("Plex download", edit):
        words = r"IMG_\d.jpg: .*Plex at .*(answers|gave no whole|sent)"
        yield Row("P4", kinds, f"({_PASSING}|{broken}).*for ever", (3,), words, phases="last")
    yield Row("P4", every, f"({_PASSING}).*for ever", (5,), r"Plex at .* answers (429|50\d)")
    yield Row("P6", "Plex download", f"({broken}), for ever", (5,), "Plex at .* gave no whole answer")
    yield Row("P5", every, f"({_RESET}|{_SILENT}|{_BROKEN}), for ever", (5,), "Plex at .* gave no whole answer")
    yield Row("P7", every, f"({_UNREADABLE}), for ever", (5,), "Plex at .* sent something that is")
    yield Row("P4", "Plex identity", "4.*", (5,), r"Plex at .* answers 4\d\d")
    yield Row("P4", "Plex section list", "4.*", (5,), r"Plex at .* does not list its sections \(4")
    yield Row("P8", "Plex listing page", "40[04], once", phases="start")
    yield Row("P8", "Plex listing page", "4.*", (5,), r"Plex does not list section .*\(4")
    yield Row("P10", "Plex download", "404, .*", (3,), r"IMG_\d.jpg: Plex has this file no more", fails=True)
    yield Row("P6", "Plex download", "4.*once", (3,), r"IMG_\d.jpg: Plex (forbids|does not give)")
    yield Row("P6", "Plex download", "4.*for ever", (3,), r"Plex (forbids|does not give)", phases="last")
    # From the middle on there may be too few in a row to take it for the server's trouble.
    yield Row("P6", "Plex download", "4.*", (3, 5), "Plex (forbids|does not give)", phases="middle")
    yield Row("P6", "Plex download", "4.*", (5,), "Plex (forbids|does not give)")
    yield Row("P10", "Plex tag read", "404, once")
    yield Row("P4", "Plex tag read", "414, once", phases="start|last")
    yield Row("P4", "Plex tag read", "4.*", (5,), r"Plex does not show the tags of photos \(4")
    yield Row("P16", edit, "4(04|13|14), once")
    yield Row("P10", edit, "404, for ever", (3,), r"IMG_\d.jpg: Plex shows the photo and does not find it")
    # That a request is too large a proxy may have said, which is gone tomorrow: the next run tries again.
    yield Row("P16", edit, "41[34], for ever", (3,), r"IMG_\d.jpg: Plex refuses the edit")
    yield Row("P4", edit, "4.*", (5,), r"Plex (lets this token read|does not take edits)")


ROWS = (*_engines(), *_imagga(), *_openai(), *_compreface(), *_plex())
