"""All safeguards that are removed, one at a time."""

from __future__ import annotations

from tests.mutants.of_files import OF_FILES
from tests.mutants.of_pictures import OF_PICTURES
from tests.mutants.of_runs import OF_RUNS
from tests.mutants.of_tags import OF_TAGS
from tests.mutants.of_the_database import OF_THE_DATABASE
from tests.mutants.of_the_wire import OF_THE_WIRE

SAFEGUARDS = (*OF_RUNS, *OF_TAGS, *OF_FILES, *OF_PICTURES, *OF_THE_WIRE, *OF_THE_DATABASE)
