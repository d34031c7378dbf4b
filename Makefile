# Everything here works on a bare machine: each target first builds the virtual environment it needs.
#   make PYTHON=python3.11 VENV=.venv311 test     another interpreter, in an environment of its own
#   make test PYTEST_ARGS='-k rename -x'          part of the tests

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV ?= .venv
# Looked up only when an environment has to be created.
PYTHON ?= $(shell scripts/pythons.sh | head -n 1 | cut -f 2)
PYTEST_ARGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCALSTACK := $(VENV)/.localstack
# An environment whose interpreter has gone away counts as not installed.
$(shell test -x '$(BIN)/python' || rm -f '$(STAMP)' '$(LOCALSTACK)')
# Tests and examples call `chuk-fsspec` by its name.
export PATH := $(abspath $(BIN)):$(PATH)
# They start hundreds of programs, which are compiled once where bytecode may be kept.
unexport PYTHONDONTWRITEBYTECODE
export MYPY_NUM_WORKERS := $(shell nproc 2>/dev/null || echo 1)

.PHONY: help setup system demo test lint format docs bench nightly matrix clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: system $(STAMP) $(LOCALSTACK)  ## create the virtual environment and install everything into it

system:
	@VENV='$(VENV)' PYTHON='$(if $(filter file undefined,$(origin PYTHON)),,$(PYTHON))' scripts/setup_system.sh

$(STAMP): pyproject.toml | system
	@if [ ! -x '$(BIN)/python' ]; then \
	    python='$(PYTHON)'; \
	    if [ -z "$$python" ]; then \
	        echo 'setup: no CPython >= 3.10 with venv and sqlite3 found; install one, or pass PYTHON=' >&2; exit 1; \
	    fi; \
	    echo "setup: creating $(VENV) with $$python" >&2; \
	    "$$python" -m venv --clear '$(VENV)'; \
	fi
	@echo 'setup: installing chuk-fsspec and its tools into $(VENV)' >&2
	@# What is used of 12,000 modules is compiled when it is used: all would be a minute.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[fuse,test,dev]' </dev/null
	@touch $@

$(LOCALSTACK): tests/s3/localstack.txt | $(STAMP)
	@VENV='$(VENV)' scripts/setup_localstack.sh
	@touch $@

demo: setup  ## show what it does, in a minute
	@$(BIN)/python scripts/demo.py

test: lint  ## lint, then run the tests (all but the slow ones)
	@$(BIN)/pytest -m 'not slow' --numprocesses auto --maxprocesses 8 --dist worksteal $(PYTEST_ARGS)

lint: setup  ## ruff, mypy and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup  ## format the code and apply the safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup  ## run every code block of the documentation
	@$(BIN)/pytest tests/docs/test_docs.py $(PYTEST_ARGS)

bench: setup  ## run the benchmarks
	@shopt -s nullglob; \
	for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

nightly: lint  ## every test, slow ones too, with hypothesis searching longer
	@HYPOTHESIS_PROFILE=nightly CHUK_STRESS_SECONDS=60 $(BIN)/pytest $(PYTEST_ARGS)

matrix: setup  ## the tests on every CPython found here, and on the oldest and newest fsspec
	@$(BIN)/nox

clean:  ## remove environments, caches and results
	@rm -rf .venv* .nox build dist htmlcov .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
