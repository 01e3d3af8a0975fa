"""Photos whose files a target has written into."""

from __future__ import annotations

from collections.abc import Iterable

from tigertag.media import OpenPhoto
from tigertag.model import WritesIntoFiles
from tigertag.pipeline.work import OpenTarget


def recognise(photo: OpenPhoto, targets: Iterable[OpenTarget]) -> None:
    """A file that a target has written into is the photo that it was before (RELIABILITY M13, I6).

    Asked only where the whole file is the picture; elsewhere the picture alone tells.
    """
    if not photo.content_id.endswith(photo.file_hash):
        return
    for each in targets:
        if isinstance(each.target, WritesIntoFiles) and (known := each.target.was(photo.file_hash)):
            photo.recognise(known)
            return
