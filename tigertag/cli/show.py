"""`show`."""

from __future__ import annotations

import click

from tigertag.app.looking import PhotoDetail
from tigertag.app.looking import show as look
from tigertag.cli.ending import summarized
from tigertag.cli.opening import open_app
from tigertag.cli.screen import out, out_json, row, visible
from tigertag.cli.shared import Shared, command
from tigertag.cli.words import local, percent
from tigertag.model import Annotation, Kind


@command(
    "show",
    examples=(
        'tigertag show "Photos/Summer/IMG_2231"',
        "tigertag show ~/Pictures/Summer/IMG_2231.jpg",
        "tigertag show 48211                    a Plex key, or the address of its page",
        "tigertag show 3fa94c                   the beginning of a picture's id",
    ),
)
@click.argument("photo")
@click.pass_obj
def show(shared: Shared, photo: str) -> int:
    """All that is known of a PHOTO: path, Section/Album/Title, Plex key or URL, or the beginning of its id."""
    with summarized(shared):
        found = look(open_app(shared), photo)
        if shared.json:
            for each in found:
                out_json(row(each, type="photo"))
            out_json({"type": "summary", "photos": len(found), "exit_code": 0})
            return 0
        for number, each in enumerate(found):
            if number:
                out()
            for line in _lines(each):
                out(line)
    return 0


def _lines(each: PhotoDetail) -> list[str]:
    gone = f", gone since {local(each.gone_since)}" if each.gone_since else ""
    lines = [visible(each.path), _field("in", f"{each.source}, key {each.key}{gone}")]
    if each.problem:
        lines.append(_field("problem", each.problem))
    if each.content_id:
        lines.append(_field("picture", f"{each.width} × {each.height}, {each.content_id}"))
    lines += [_field("copy", copy) for copy in each.copies]
    for answer in each.answers:
        past = "" if answer.in_force or answer.state == "waiting" else ", not in force"
        why = f": {answer.reason}" if answer.reason else ""
        lines.append(_field(answer.engine, f"{answer.state}, {local(answer.at)}{past}{why}"))
        lines += [f"{'':<13}{_said(each)}" for each in sorted(answer.annotations, key=_is_measured)]
    for target in dict.fromkeys(tag.target for tag in each.tags):
        lines.append(_field("shown", f"on {target}"))
        shown = [tag for tag in each.tags if tag.target == target]
        lines += [f"{'':<13}{visible(tag.name)} ({_whose(tag.ours, tag.engines)})" for tag in shown]
    return lines + [
        _field("verdict", f"{value} {tag} (verdict {number})") for number, tag, value in each.verdicts
    ]


def _field(name: str, text: str) -> str:
    return f"  {visible(name):<11}{visible(text)}"


def _is_measured(said: Annotation) -> bool:
    return said.kind in (Kind.MEASURE, Kind.EMBEDDING)


def _said(said: Annotation) -> str:
    """`  98 %  dog`; what was measured has no percent to it."""
    value = round(said.value, 6) if isinstance(said.value, float) else said.value
    text = said.name or said.kind
    text += f" = {value}" if isinstance(value, int | float | str) else ""
    sure = "" if _is_measured(said) else percent(said.confidence)
    return f"{sure:>5}  " + visible(text if said.kind == Kind.TAG else f"{text} ({said.kind})")


def _whose(ours: bool, engines: tuple[str, ...]) -> str:
    return ", ".join(engines) if ours else "yours"
