# Commands of the project. Everything runs in .venv, which is made on first use with the versions of .ci/constraints.txt.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint .ci/constraints.txt

.PHONY: help demo test coverage test-slow test-services test-browser test-documents test-load laws lint lint-workflows bench bench-fidelity conformance schemas golden clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# What the default suite leaves out: what takes long, and what needs a program that is not ours.
LEFT_OUT := conformance or slow or services or browser or documents or load

KERNELS := hatch_build.py $(wildcard avatar_gitops/engine/kernels/*.[ch])

.venv/.local: pyproject.toml .ci/constraints.txt $(KERNELS)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing avatar-gitops[local] into .venv"
	@$(PIP) --editable '.[local]'
	@touch $@

.venv/.dev: .venv/.local
	@echo "Installing the development tools into .venv"
	@$(PIP) --editable '.[dev]'
	@touch $@

demo: .venv/.local ## anonymize the example project on this machine
	@$(BIN)/avatar-gitops apply --project configs --yes

test: .venv/.dev ## the default test suite
	@$(BIN)/pytest -n 2 -m "not ($(LEFT_OUT))"

coverage: .venv/.dev ## all tests but conformance and load, with branch coverage, which has a floor (needs .ci/services)
	@$(BIN)/pytest -n 2 --cov --cov-report=term -m "not (conformance or load)"

test-slow: .venv/.dev ## the longer checks
	@$(BIN)/pytest -n 2 -m slow

test-services: .venv/.dev ## PostgreSQL as the database and another S3 as the bucket (needs .ci/services)
	@$(BIN)/pytest -n 2 -m services

test-browser: .venv/.dev ## the web application in headless Chromium (needs .ci/services)
	@$(BIN)/pytest -n 2 -m browser

test-documents: .venv/.dev ## reports opened in LibreOffice, pages rendered (needs .ci/services)
	@$(BIN)/pytest -n 2 -m documents

test-load: .venv/.dev ## random kills of server and workers, many clients at once
	@$(BIN)/pytest -m load -p no:xdist

laws: .venv/.dev ## the laws of planning on 1 000 examples each
	@$(BIN)/pytest -n 2 --dist worksteal --timeout 1800 --hypothesis-profile=laws --durations=0 --durations-min=1 -m law

lint: .venv/.dev ## formatter, linter, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

lint-workflows: .venv/.dev ## look for security faults in the workflows and the action
	@$(PIP) zizmor
	@$(BIN)/zizmor --offline --quiet action.yml .github/workflows avatar_gitops/app/scaffold/github/*.yml

bench: .venv/.dev ## measure, and write benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

bench-fidelity: .venv/.dev ## the figures of the published engine beside ours (needs AVATAR_FIXTURES)
	@$(BIN)/python -m benchmarks fidelity membership

conformance: .venv/.dev ## run the unmodified official client against the embedded platform (needs Python 3.12)
	@$(BIN)/pytest -m conformance -p no:xdist

schemas: .venv/.local ## regenerate schemas/
	@$(BIN)/python -m avatar_gitops schema --write schemas

golden: .venv/.dev ## regenerate the golden files of the tests; read the difference before you commit it
	@$(BIN)/pytest -n 2 -m "not ($(LEFT_OUT))" --update-golden

clean: ## remove what make made
	@rm -rf .bench .venv .mypy_cache .pytest_cache .ruff_cache .coverage
