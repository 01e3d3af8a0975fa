"""A stand-in for CompreFace 1.2's recognition service: its codes, its paging, its traps.

with CompreFace() as service:
    engine = CompreFaceEngine(CompreFaceOptions(**service.options), memory)

A face is what `draw_people` draws: a coloured square over a dark one. Turned on its side it is none, for
CompreFace does not look at the EXIF orientation. Set `faces_in` to see other faces in other pictures.
"""

from __future__ import annotations

import io
import json
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from tests.servers.base import Answer, Fault, Request, Service
from tests.servers.compreface_faces import Seen, drawn_faces
from tests.servers.compreface_requests import (
    BASE,
    as_json,
    has_id,
    is_threshold,
    kind_of,
    name_trouble,
    refusal,
)
from tests.servers.forms import Part, parts

KEY = "0f6c35b3-9d1c-4f0e-8b1d-5b7a6a3f2c11"
DETECTION_KEY = "7d0b2a52-31a4-4c39-9f1d-6f0a54c7e9aa"
_ENDINGS = (".tif", ".tiff", ".jpg", ".jpeg", ".png", ".bmp", ".ico", ".gif", ".webp")
_WRITES = ("add subject", "rename subject", "delete subject", "delete all", "add", "delete", "delete many")
_HTML = "text/html"


def trouble(status: int, code: int, message: str) -> Fault:
    body = json.dumps({"message": message, "code": code}).encode()
    return Fault(status=status, body=body, content_type="application/json")


CORE_DOWN = trouble(500, 41, "Error during synchronization between servers: [503 Service Unavailable]")
OUT_OF_ROOM = trouble(400, 0, "Something went wrong, please try again")


@dataclass(slots=True)
class Example:
    subject: str
    content: bytes
    who: str
    is_foreign: bool = False


class CompreFace(Service):
    """Kinds of requests: `status`, `config`, `subjects`, `examples`, `img`, `add`, `delete`, `recognise`, ….

    Change the attributes to change the service. `damage` tells what a careful client never does.
    """

    def __init__(self, key: str = KEY) -> None:
        super().__init__()
        self.key = key
        self.faces_in: Callable[[Image.Image], Sequence[Seen]] = drawn_faces
        self.examples: dict[str, Example] = {}
        self.subjects: list[str] = []
        self.most_file = 5_242_880
        self.most_body = 10_485_760
        self.most_per_page = 2000
        self.keeps_pictures = True
        self.is_inconsistent = False
        self.recognised: list[bytes] = []
        """The pictures that came to be recognised, in order."""
        self._version = 0
        self._answered: Counter[tuple[str, int]] = Counter()
        self._spoiled: Counter[str] = Counter()

    @property
    def options(self) -> dict[str, object]:
        """Of a CompreFaceEngine."""
        return {
            "api_key": self.key,
            "api_url": "http://127.0.0.1",
            "api_port": int(self.host.partition(":")[2]),
        }

    @property
    def writes(self) -> int:
        return sum(self.counts[kind] for kind in _WRITES)

    def of_subject(self, subject: str) -> list[Example]:
        with self.lock:
            return [example for example in self.examples.values() if example.subject == subject]

    def seed(self, subject: str, content: bytes = b"") -> str:
        """An example that somebody else added; its image id."""
        with self.lock:
            seen = self._seen(content)
            return self._store(Example(subject, content, seen[0].who if seen else subject, is_foreign=True))

    def seed_subject(self, subject: str) -> None:
        with self.lock:
            self._subject(subject)

    def received(self, request: Request) -> Fault:
        fault = super().received(request)
        if fault != Fault() and not fault.status and fault.reset != "before":  # done, and the answer spoiled
            with self.lock:
                self._spoiled[request.digest] += 1
        return fault

    def kind(self, method: str, path: str) -> str:
        return kind_of(method, path)

    def answer(self, request: Request) -> Answer:
        if any(code in request.raw_path.upper() for code in ("%2F", "%5C")):
            return Answer(400, b"<html>HTTP Status 400</html>", _HTML)
        if len(request.body) > self.most_body:
            return Answer(413, b"<html>413 Request Entity Too Large</html>", _HTML)
        if request.path.startswith(BASE):
            refused = self._key_trouble(request.headers.get("x-api-key"))
            if refused is not None:
                return refused
        with self.lock:
            work = getattr(self, "_" + request.kind.replace(" ", "_"), None)
            if work is None or request.kind == "other":
                return Answer(404, b"<html>404</html>", _HTML)
            answer: Answer = work(request)
            return answer

    def _key_trouble(self, key: str | None) -> Answer | None:
        if key is None:
            return refusal(400, 20, "Missing header: x-api-key")
        try:
            uuid.UUID(key)
        except ValueError:
            return refusal(400, 26, "Service API key should be UUID")
        if key.lower() == self.key:
            return None
        return refusal(404, 10, f"Recognition service with API Key {key} not found")

    def _wrong_method(self, request: Request) -> Answer:
        return refusal(404, 0, f"Request method '{request.method}' not supported")

    def _status(self, _: Request) -> Answer:
        flags = {"demoFaceCollectionIsInconsistent": False, "dbIsInconsistent": self.is_inconsistent}
        return Answer.of({**flags, "saveImagesToDB": self.keeps_pictures, "status": "OK"})

    def _config(self, _: Request) -> Answer:
        return Answer.of({"clientMaxFileSize": self.most_file, "clientMaxBodySize": self.most_body})

    def _subjects(self, _: Request) -> Answer:
        return Answer.of({"subjects": self.subjects})

    def _add_subject(self, request: Request) -> Answer:
        body = as_json(request)
        if isinstance(body, Answer):
            return body
        name = body.get("subject") if isinstance(body, dict) else None
        refused = name_trouble(name)
        if refused is not None or not isinstance(name, str):
            return refused or refusal(400, 26, "Subject name cannot be blank")
        if self._spelled(name) is not None:
            return refusal(400, 43, "Subject already exists")
        return Answer.of({"subject": self._subject(name)}, 201)

    def _rename_subject(self, request: Request) -> Answer:
        old = request.path.removeprefix(f"{BASE}/subjects/")
        body = as_json(request)
        if isinstance(body, Answer):
            return body
        new = body.get("subject") if isinstance(body, dict) else None
        refused = name_trouble(new)
        if refused is not None or not isinstance(new, str):
            return refused or refusal(400, 26, "Subject name cannot be blank")
        if old not in self.subjects:
            return refusal(404, 42, f"Subject {old} not found")
        self._rename(old, new)
        return Answer.of({"updated": old != new})

    def _rename(self, old: str, new: str) -> None:
        self._blame([e for e in self.examples.values() if e.subject == old], f"renamed {old!r} to {new!r}")
        self.subjects.remove(old)
        spelled = self._subject(new)
        for example in self.examples.values():
            if example.subject == old:
                example.subject = spelled
        self._version += 1

    def give(self, image_id: str, subject: str) -> None:
        """What a human does in the web pages: hands an example to another person."""
        with self.lock:
            self.examples[image_id].subject = self._subject(subject)

    def _delete_subject(self, request: Request) -> Answer:
        name = request.path.removeprefix(f"{BASE}/subjects/")
        if name not in self.subjects:
            return refusal(404, 42, f"Subject {name} not found")
        self._drop([i for i, e in self.examples.items() if e.subject == name], f"deleted subject {name!r}")
        self.subjects.remove(name)
        return Answer.of({"subject": name})

    def _delete_all(self, _: Request) -> Answer:
        """The real one does it, for an empty name too."""
        deleted = len(self.subjects)
        self.report("deleted the whole collection")
        self._drop(list(self.examples), "deleted all")
        self.subjects.clear()
        return Answer.of({"deleted": deleted})

    def _examples(self, request: Request) -> Answer:
        try:
            page, size = int(request.one("page", "0")), int(request.one("size", "20"))
        except ValueError:
            return Answer(400)
        size = min(max(size, 1), self.most_per_page)
        only = request.one("subject") if "subject" in request.query else None
        ids = [i for i, example in self.examples.items() if only is None or example.subject == only]
        faces = [{"image_id": i, "subject": self.examples[i].subject} for i in ids[page * size :][:size]]
        numbers = {"page_number": page, "page_size": size, "total_elements": len(ids)}
        return Answer.of({"faces": faces, **numbers, "total_pages": -(-len(ids) // size)})

    def _add(self, request: Request) -> Answer:
        if "subject" not in request.query:
            return refusal(400, 33, "Required String parameter 'subject' is not present")
        name = request.one("subject")
        if not name.strip() or len(name) > 50:
            return refusal(400, 26, "Subject name cannot be blank or longer than 50")
        if any(sign in name for sign in ";/\\"):
            self.report(f"made a subject that cannot be deleted by name: {name!r}")
        part = self._picture(request)
        if isinstance(part, Answer):
            return part
        seen = self._seen(part.content)
        if not seen or not is_threshold(request):
            return refusal(400, 28, "No face is found in the given image")
        if len(seen) > 1:
            return refusal(400, 31, "Found more than one face in the given image")
        if any(e.content == part.content and e.subject == self._spelled(name) for e in self.examples.values()):
            self.report(f"added the same example of {name!r} twice")
        image_id = self._store(Example(name, part.content, seen[0].who))
        return Answer.of({"image_id": image_id, "subject": self.examples[image_id].subject}, 201)

    def _img(self, request: Request) -> Answer:
        example = self.examples.get(request.path.split("/")[-2])
        content = example.content if example and self.keeps_pictures else b""
        return Answer(200, content, "application/octet-stream") if has_id(request, -2) else Answer(400)

    def _delete(self, request: Request) -> Answer:
        if not has_id(request, -1):
            return Answer(400)
        image_id = request.path.split("/")[-1]
        if image_id not in self.examples:
            return refusal(404, 44, f"Image {image_id} not found")
        subject = self.examples[image_id].subject
        self._drop([image_id], "deleted an example")
        return Answer.of({"image_id": image_id, "subject": subject})

    def _delete_many(self, request: Request) -> Answer:
        """`DELETE /faces`: all of a subject. Without one it is refused, and a careful client never sends it."""
        subject = request.one("subject")
        if not subject:
            self.report("sent DELETE /faces without a subject")
            return refusal(400, 26, "Subject name cannot be blank")
        self._drop([i for i, e in self.examples.items() if e.subject == subject], "deleted by subject")
        return Answer.of({"deleted": 1})

    def _recognise(self, request: Request) -> Answer:
        for name, least in (("limit", 0), ("prediction_count", 1)):
            value = request.one(name, "1")
            if not value.lstrip("-").isdigit() or int(value) < least:
                return refusal(400, 26, f"{name} must be at least {least}")
        part = self._picture(request)
        if isinstance(part, Answer):
            return part
        self._note_asked(request)
        self.recognised.append(part.content)
        seen = self._seen(part.content)
        if not seen or not is_threshold(request):
            return refusal(400, 28, "No face is found in the given image")
        limit, most = int(request.one("limit", "0")), int(request.one("prediction_count", "1"))
        largest = sorted(seen, key=lambda face: face.area, reverse=True)
        return Answer.of({"result": [self._named(face, most) for face in largest[: limit or None]]})

    def _named(self, face: Seen, most: int) -> dict[str, object]:
        """One entry per stored example: the nearest first, and a stranger gets the nearest name too."""
        near = [(0.97858 if e.who == face.who else 0.21, e.subject) for e in self.examples.values()]
        near.sort(key=lambda one: -one[0])
        subjects = [{"subject": subject, "similarity": similarity} for similarity, subject in near[:most]]
        return {"box": face.box(), "subjects": subjects}

    def _note_asked(self, request: Request) -> None:
        asked = (request.digest, self._version)
        self._answered[asked] += 1
        if self._answered[asked] > 1 + self._spoiled[request.digest]:
            self.report("asked for the same picture twice")

    def _picture(self, request: Request) -> Part | Answer:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return Answer(415)
        part = next((part for part in parts(request) if part.name == "file"), None)
        if part is None:
            return refusal(400, 34, "Required request part 'file' is not present")
        if not part.filename.lower().endswith(_ENDINGS):
            return refusal(400, 21, "File extension is not supported")
        if not part.content:
            self.report("sent an empty file")
        if b"Exif\0\0" in part.content or b"http://ns.adobe.com/xap" in part.content:
            self.report("sent metadata")
        if len(part.content) > self.most_file:
            return refusal(400, 0, "Something went wrong, please try again")
        return part

    def _seen(self, content: bytes) -> Sequence[Seen]:
        """The faces as the core finds them: the orientation is not applied, a broken picture has none."""
        try:
            with Image.open(io.BytesIO(content)) as picture:
                return self.faces_in(picture.convert("RGB"))
        except OSError:
            return ()

    def _spelled(self, name: str) -> str | None:
        return next((known for known in self.subjects if known.upper() == name.upper()), None)

    def _subject(self, name: str) -> str:
        spelled = self._spelled(name)
        if spelled is None:
            self.subjects.append(name)
        return spelled or name

    def _store(self, example: Example) -> str:
        example.subject = self._subject(example.subject)
        image_id = str(uuid.uuid4())
        self.examples[image_id] = example
        self._version += 1
        return image_id

    def _drop(self, image_ids: Sequence[str], how: str) -> None:
        self._blame([self.examples[image_id] for image_id in image_ids], how)
        for image_id in image_ids:
            del self.examples[image_id]
        self._version += 1

    def _blame(self, examples: Sequence[Example], how: str) -> None:
        for example in examples:
            if example.is_foreign:
                self.report(f"{how}: somebody else's example of {example.subject!r}")
