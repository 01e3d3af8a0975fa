# make demo     try TigerTag on a small library of drawn photos: no account, no server
# make test     the whole test suite
# make check    format, lint, types, who imports whom, and whether the documents are true
# make bench    measured figures, one line of JSON each
# make torture  faults injected at every boundary, counted in one table; FULL=1 for the long form
# make mutants  fifty safeguards removed, one at a time: which test notices? About ten minutes
# make clean    remove what these made, but for .venv

.PHONY: demo test check bench torture mutants clean
.DELETE_ON_ERROR:

# The first Python that is new enough; `make PYTHON=/path/to/python` overrules it.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	if command -v $$python >/dev/null 2>&1 && $$python -c '$(NEW_ENOUGH)'; then echo $$python; break; fi; done)

BIN := .venv/bin

# Nothing of the user's: neither .env nor variables, only what a terminal needs; and no model to fetch.
DEMO := env -i PATH="$$PATH" HOME="$$HOME" TERM="$${TERM:-dumb}" LANG="$${LANG:-C.UTF-8}" \
	TIGERTAG_ENV_FILE=/dev/null DB_URL=sqlite:///demo/tigertag.db ENGINE_CLIP_ENABLED=false

demo: .venv/.ready
	@$(BIN)/python -m tests.pictures demo/photos
	@$(DEMO) $(BIN)/tigertag scan demo/photos
	@echo "Photos: demo/photos. Their tags are kept in demo/tigertag.db; make clean removes both. To look at them:"
	@echo "  export DB_URL=sqlite:///demo/tigertag.db PATH=\"\$$PWD/.venv/bin:\$$PATH\""

# PYTEST_ARGS='-n 0 tests/store' runs a part. Compiled first: the tests start many processes.
test: .venv/.ready
	$(BIN)/python -m compileall -q tigertag tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 0 tests/test_import_rules.py $(wildcard tests/test_docs*.py) \
		tests/test_config_example.py

# FULL=1: the sizes of the goals, half an hour. ONLY=first_scan: one module of benchmarks/.
bench: .venv/.ready
	@$(BIN)/python -m benchmarks $(if $(FULL),--full) $(addprefix --only ,$(ONLY))

# FULL=1: every system call and every fault, an hour or two. ONLY=kills: one boundary. JOBS=2: two at once.
torture: .venv/.ready
	@$(BIN)/python -m tests.torture $(if $(FULL),--full) $(addprefix --only ,$(ONLY)) $(addprefix --jobs ,$(JOBS))

# ONLY=heartbeat: one of them.
mutants: .venv/.ready
	@$(BIN)/python -m tests.mutants $(if $(ONLY),--only "$(ONLY)")

clean:
	rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find tigertag migrations tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# Touched last, so that an environment without it is a half-made one: removed and made again.
.venv/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "TigerTag needs Python 3.11 or newer, found none." \
		"Debian and Ubuntu: apt install python3 python3-venv; others: python.org." >&2; exit 1; }
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "TigerTag needs Python 3.11 or newer;" \
		"$(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make environments:" \
		"its modules venv and ensurepip are missing. Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@test -e $@ || rm -rf .venv
	@echo "Installing TigerTag into .venv (once; a minute or two) ..."
	@test -d .venv || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
