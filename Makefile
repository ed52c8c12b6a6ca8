# Plain `make` lists the commands. Python 3.11, make and git are all a fresh machine needs.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PEER    := $(VENV)/medallion/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench

help:       ## list the commands
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(PEER): requirements/medallion.txt | $(STAMP)
	$(PYTHON) -m venv $(VENV)/medallion
	$(VENV)/medallion/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/medallion.txt
	@touch $@

demo: $(STAMP)       ## the nodes of the story on loopback (ONCE=1 ends by itself)
	$(BIN)/comity demo $(if $(ONCE),--once,)

test: $(STAMP) $(PEER)  ## the tests
	$(BIN)/python -m pytest -q -n auto

check: $(STAMP)      ## lint, types, import contracts, tests: what CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

fix: $(STAMP)        ## format and repair what a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)      ## measure beside the peers in one run (QUICK=1: two minutes)
	$(BIN)/python -m bench $(if $(QUICK),--quick,)
