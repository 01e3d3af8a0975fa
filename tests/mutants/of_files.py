"""Safeguards of the files that are written into, and of the archives that are read."""

from __future__ import annotations

from tests.mutants.safeguard import Safeguard

_REPLACING = "tigertag/replacing/files.py"
_CONTAINER = "tigertag/targets/xmp/embedded/container.py"
_OF_REPLACING = "tests/replacing/test_files.py"
_OF_REFUSING = "tests/targets/test_xmp_embedded_refused.py"
_OF_ARCHIVES = "tests/sources/test_archive_faults.py"

OF_FILES = (
    Safeguard(
        "bytes on the disk before the name",
        _REPLACING,
        "            _sync(draft)\n            announce(made)\n",
        "            announce(made)\n",
        "M1, I9: after a power cut the file is the old or the new one, whole",
        _OF_REPLACING,
        "test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_is_done",
    ),
    Safeguard(
        "look just before the name is taken",
        _REPLACING,
        "            if _look(real) != before:\n",
        "            if False:\n",
        "M10: what another program saves meanwhile is not written over",
        _OF_REPLACING,
        "test_what_another_program_does_meanwhile_stays",
    ),
    Safeguard(
        "hard links",
        _REPLACING,
        "    if seen.status.st_nlink > 1:\n",
        "    if False:\n",
        "M9: no hard link is cut",
        _OF_REPLACING,
        "test_hard_links_are_not_cut",
    ),
    Safeguard(
        "the hash that a file will have",
        _REPLACING,
        "            announce(made)\n",
        "",
        "M13: our write makes no photo a changed one, killed before the commit or not",
        _OF_REPLACING,
        "test_what_the_file_will_be_is_told_before_it_is",
    ),
    Safeguard(
        "owner of a file",
        "tigertag/replacing/rights.py",
        "        if keep:\n",
        "        if False:\n",
        "M8: where the owner cannot be kept nothing is written",
        _OF_REPLACING,
        "test_an_owner_that_cannot_be_kept_is_a_reason_to_refuse",
    ),
    Safeguard(
        "unfinished files of the living",
        "tigertag/replacing/drafts.py",
        "            if _is_dead(name, age):\n",
        "            if True:\n",
        "K7: only what dead runs have left is removed",
        "tests/replacing/test_kills.py",
        "test_what_a_live_process_makes_is_left",
    ),
    Safeguard(
        "parts of a picture file compared",
        _CONTAINER,
        "    if difference:\n",
        "    if False:\n",
        "M2, M4, I8: a copy of which another part has changed is thrown away",
        _OF_REFUSING,
        "test_a_picture_of_any_kind_that_has_changed_is_thrown_away",
    ),
    Safeguard(
        "foreign fields of XMP compared",
        _CONTAINER,
        "            if foreign(now.packet.root) != theirs:\n",
        "            if False:\n",
        "M4: other programs' fields of XMP are as before, or the copy is thrown away",
        _OF_REFUSING,
    ),
    Safeguard(
        "copy read back",
        _CONTAINER,
        "            if now.fields != wanted or bool(now.layout.xmp) != bool(packet):\n",
        "            if False:\n",
        "M2: a copy that does not read back as it was to be is thrown away",
        _OF_REFUSING,
    ),
    Safeguard(
        "no document types in XMP",
        "tigertag/xmp/reading.py",
        "fromstring(source, forbid_dtd=True)",
        "fromstring(source, forbid_dtd=False, forbid_entities=False, forbid_external=False)",
        "M16: a packet declares no entities",
        _OF_REFUSING,
    ),
    Safeguard(
        "values as arguments",
        "tigertag/exiftool/arguments.py",
        "    text = value.translate(_ODD)\n",
        "    text = value\n",
        "M15: no value becomes an argument of its own",
        "tests/test_exiftool.py",
    ),
    Safeguard(
        "bombs in archives within",
        "tigertag/sources/archive_limits.py",
        "    return unpacked > max(RATIO_FROM, MOST_RATIO * packed)\n",
        "    return False\n",
        "Z3: what cannot honestly have come out of so few bytes is not unpacked",
        _OF_ARCHIVES,
    ),
    Safeguard(
        "depth of archives",
        "tigertag/sources/archive_tree.py",
        "        if len(way) >= MOST_DEPTH:\n",
        "        if False:\n",
        "Z3: archives within archives are looked into so deep and no deeper",
        _OF_ARCHIVES,
        "test_archives_within_archives_are_looked_into_so_deep_and_no_deeper",
    ),
)
