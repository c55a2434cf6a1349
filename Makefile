# The task runner. `make` alone prints what there is.
# Everything lives in .venv, made from uv.lock; Python >= 3.11, git and make are all that has to be there before.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
WORKERS ?= auto
export UV_PROJECT_ENVIRONMENT := $(VENV)
.DEFAULT_GOAL := help
.PHONY: help install-deps demo test thorough coverage check format bench schemas pictures clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

install-deps: $(VENV)/.installed ## everything that is needed, from the lock file, into .venv

$(VENV)/.installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'fleet-bot needs Python 3.11 or newer: make PYTHON=python3.12 …'; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --frozen --quiet --compile-bytecode
	@touch $@

demo: install-deps ## the whole main job, with no key and no network
	@$(BIN)/fleet-bot demo $(ARGS)

test: install-deps ## formatter, linter, type checker, then the suite (ARGS= goes to pytest)
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not thorough" $(ARGS)

thorough: install-deps ## the tests that take long, or want a package index
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m thorough $(ARGS)

coverage: install-deps ## the whole suite with branch coverage of bot/; fails below 90 %
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

check: install-deps ## formatter, linter and type checker only
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

format: install-deps ## rewrite files as the formatter and the linter want them
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: install-deps ## measure against the floor and the peers; prints ratios
	@$(BIN)/python -m pytest tests/bench -q -p no:xdist -o addopts="--import-mode=importlib" -s --no-cov $(ARGS)

schemas: install-deps ## write docs/schemas/ and docs/trace.md anew
	@$(BIN)/python -P -m bot.fleet.schema docs/schemas
	@$(BIN)/python -P -m bot.trace.schema

pictures: install-deps ## draw the pictures in docs/pictures from a real demo (needs Chromium)
	@$(BIN)/python docs/pictures/make_pictures.py

clean: ## throw the environment away
	@rm -rf $(VENV)
