"""Options of the clip engine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from tigertag.meaning.options import WordOptions


class ClipOptions(WordOptions):
    """Options of the clip engine."""

    model: str = Field(
        "Xenova/clip-vit-base-patch32",
        min_length=1,
        description="A model's name on the hub, fetched on first use, or a folder with its files.",
    )
    revision: str = Field("", description="Which revision of the model on the hub; the newest by default.")
    precision: str = Field(
        "",
        pattern=r"^[a-z0-9]*$",
        description="Which of a model's files: fp16, quantized; none: the plain ones.",
    )
    hub: str = Field("", description="Address of another hub; HF_ENDPOINT, else huggingface.co by default.")
    cache: Path | None = Field(None, description="Folder for fetched models; by default the hub's own cache.")
    provider: Literal["auto", "cpu", "cuda", "coreml", "openvino"] = Field(
        "auto", description="What computes: auto takes the fastest that is installed."
    )
    batch: int = Field(8, ge=1, le=256, description="Photos that the model looks at together.")
    threads: int = Field(
        1, ge=1, le=256, description="Threads of one worker. There is a worker for each core, so 1 is enough."
    )
    concurrency: int = Field(1, ge=1, le=64, description="Batches side by side in one worker.")
    max_tags: int | None = Field(10, ge=1, description="Tags a photo gets from this engine at most.")
