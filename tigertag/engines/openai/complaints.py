"""What servers say is wrong, in the many shapes they say it in, and what each of them means by it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tigertag.model import JSON


@dataclass(frozen=True)
class Complaint:
    """What a server says is wrong."""

    text: str
    code: str = ""
    """`insufficient_quota`, `model_not_found`; its type where it has no code."""
    kind: str = ""
    number: int = 0
    """The HTTP status that the complaint names itself (OpenRouter); 0 where it names none."""

    @property
    def is_about_money(self) -> bool:
        """OpenAI answers 429 for both: too fast, and nothing left to spend."""
        codes = f"{self.code} {self.kind}"
        return any(each in codes for each in ("insufficient_quota", "credit_balance", "limit_exceeded")) and (
            "rate_limit" not in codes
        )

    def is_about_pictures(self, model: str) -> bool:
        """Whether it says that the model, whose name may hold the word, or the server takes none."""
        text = self._low.replace(model.lower(), "")
        if _NO_PICTURES.search(text):
            return True
        about = any(each in text for each in ("image", "vision", "multimodal", "mmproj"))
        denied = any(each in text for each in ("not support", "unsupported", "only 'text'", "not a multimodal"))
        return about and denied and "format" not in text

    @property
    def is_about_room(self) -> bool:
        """Whether the question and the answer together are too long for the model as it was loaded."""
        return _NO_ROOM.search(f"{self._low} {self.code} {self.kind}") is not None

    @property
    def is_about_model(self) -> bool:
        """Whether the server has no such model, or cannot load it, whatever status it says so with."""
        return "model_not_found" in self.code or _NO_MODEL.search(self._low) is not None

    @property
    def is_about_address(self) -> bool:
        """LM Studio answers 200 to any path."""
        return self._low.startswith("unexpected endpoint")

    @property
    def is_passing(self) -> bool:
        """Whether the model went while it was asked: LM Studio answers 400 then, and may load it again."""
        return _GONE.search(self._low) is not None

    @property
    def is_about_what_it_shows(self) -> bool:
        """Whether a moderator stopped this photo: OpenRouter answers 403, as for a wrong key."""
        return any(each in self._low for each in ("flagged", "moderation"))

    @cached_property
    def _low(self) -> str:
        return self.text.lower()


_NO_PICTURES = re.compile(
    r"missing data required for image|found that support image|at most 0 image|vision add-on is not loaded"
    r"|only supported by certain models|unknown variant `image_url`"
    r"|content\W{0,3}(must|should) be a string|content: (input should be a valid string|str type expected)"
)
_NO_ROOM = re.compile(
    r"context (size|length|window|the overflow)|(exceed_context|context_length)\w*|maximum model length"
)
_NO_MODEL = re.compile(
    r"no models? (is |are )?loaded|failed to load model|not a valid model|invalid model( id| name|:)"
    r"|could not find \w* ?model|\bmodel\b.{0,200}(not found|not exist)"
)
_GONE = re.compile(r"model (has crashed|is unloaded|unloaded)|operation cancell?ed")


def complaint_of(answer: JSON) -> Complaint | None:
    """What an answer complains of; None where it does not.

    The shapes of OpenAI, Ollama, LM Studio (a plain text), vLLM and Mistral (without `error`), OpenRouter (a
    number for a code, in the choice too), Gemini (in a list) and FastAPI (`detail`, a text or a list).
    """
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        answer = answer[0] if answer else None
    if not isinstance(answer, Mapping):
        return None
    error = answer.get("error") or _of_choice(answer)
    if error is True or (not error and "choices" not in answer and _is_error(answer)):
        error = answer
    return _complaint(error or answer.get("detail"))


def _is_error(answer: Mapping[str, JSON]) -> bool:
    return answer.get("object") == "error" or isinstance(answer.get("message"), str)


def _of_choice(answer: Mapping[str, JSON]) -> JSON:
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("error") if isinstance(first, Mapping) else None


def _complaint(error: JSON) -> Complaint | None:
    if isinstance(error, str):
        return Complaint(error)
    if isinstance(error, list):
        return Complaint(_of_fields(error))
    if not isinstance(error, Mapping):
        return None
    text, code, kind = (error.get(key) for key in ("message", "code", "type"))
    if isinstance(text, Mapping):
        text = _of_fields(text.get("detail"))
    return Complaint(
        text if isinstance(text, str) else "",
        code if isinstance(code, str) else "",
        kind if isinstance(kind, str) else "",
        _status(code),
    )


def _of_fields(details: JSON) -> str:
    """What pydantic has against fields: `body.response_format: Extra inputs are not permitted`."""
    if not isinstance(details, list):
        return details if isinstance(details, str) else ""
    said = []
    for detail in details:
        if isinstance(detail, Mapping) and isinstance(words := detail.get("msg"), str):
            place = detail.get("loc")
            parts = [str(part) for part in place] if isinstance(place, list) else []
            said.append(f"{'.'.join(parts)}: {words}" if parts else words)
    return "; ".join(said)


def _status(code: JSON) -> int:
    number = int(code) if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code) else code
    is_status = isinstance(number, int) and not isinstance(number, bool) and 400 <= number < 600
    return number if is_status and isinstance(number, int) else 0
