"""Safeguards of pictures: told apart, whole, and of a size that can be borne."""

from __future__ import annotations

from tests.mutants.safeguard import Safeguard

OF_PICTURES = (
    Safeguard(
        "positive list of what is the picture",
        "tigertag/media/jpeg.py",
        "if marker in _PICTURE or (",
        "if marker not in _METADATA or (",
        "I6: what other programs write into a file makes it no new photo",
        "tests/test_media.py",
        "test_what_is_neither_picture_nor_metadata_counts_as_neither",
    ),
    Safeguard(
        "length of downloads",
        "tigertag/plexserver/connection.py",
        "if due is not None and came != due:",
        "if False:",
        "P6: a download that is not whole is never shown to an engine",
        "tests/sources/test_plex.py",
        "test_a_photo_that_never_comes_whole_is_not_given_out",
    ),
    Safeguard(
        "pixels",
        "tigertag/media/decode.py",
        "    if width * height > most:\n",
        "    if False:\n",
        "K6: a picture with too many pixels is named and not decoded",
        "tests/test_media_damage.py",
        "test_a_picture_with_too_many_pixels_is_named_before_it_is_decoded",
    ),
    Safeguard(
        "regular files",
        "tigertag/sources/folder_walk.py",
        "if stat.S_ISREG(os.fstat(descriptor).st_mode):",
        "if True:",
        "K5: what was exchanged for a pipe while it was opened is named",
        "tests/sources/test_folder.py",
        "test_a_photo_exchanged_for_a_pipe_while_it_is_opened_is_named_at_once",
    ),
    Safeguard(
        "processor time",
        "tigertag/executors/limits.py",
        "    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + PROCESSOR_SECONDS)\n",
        "",
        "I17: a picture takes no more than its processor time",
        "tests/executors/test_limits.py",
        "test_a_picture_that_takes_too_long_ends_its_worker",
    ),
    Safeguard(
        "memory",
        "tigertag/executors/limits.py",
        "if taken := _address_space():",
        "if taken := 0:",
        "I17: a picture takes no more than its memory",
        "tests/executors/test_limits.py",
        "test_a_picture_that_takes_too_much_memory_is_told_and_the_worker_goes_on",
    ),
    Safeguard(
        "what a worker was lost with is tried alone",
        "tigertag/pipeline/workshop.py",
        "is_suspect = isinstance(error, WorkerLost) and job.losses + 1 < _LOSSES",
        "is_suspect = False",
        "E15, I14: of a batch only the picture that ends its worker is set apart",
        "tests/executors/test_contract.py",
        "TestLosses::test_of_a_batch_the_one_that_kills_is_found_and_the_others_are_done[processes]",
    ),
)
