# İmece. `make` or `make help` lists what can be done.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WITH_SERVICES := $(BIN)/python tests/with_services.py
PYTEST := $(BIN)/python -W ignore -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check fmt lint types imports unit contracts integration e2e faults diagrams openapi migrate up down bench bench-registry bench-outages bench-burst

help: ## Say what can be done here
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "Python's venv module is needed (on Debian: apt install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what İmece needs into $(VENV) …"
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "Installing what the checks and tests need …"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(VENV)/.dev ## Install everything into .venv

run: $(VENV)/.run ## Start İmece here, in one process, with the demo's offices
	@IMECE_LOG_LEVEL=$${IMECE_LOG_LEVEL:-WARNING} $(BIN)/imece run --demo

demo: $(VENV)/.run ## Drive three protocols to their ends, step by step
	@$(BIN)/imece demo

check: lint types imports ## Style, types and import rules

lint: $(VENV)/.dev ## Style alone
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run make fmt"; exit 1; }

types: $(VENV)/.dev ## Types alone
	@$(BIN)/mypy services

imports: $(VENV)/.dev ## Import rules alone
	@$(BIN)/lint-imports

fmt: $(VENV)/.dev ## Put the code in form
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

test: $(VENV)/.dev ## All tests, on real PostgreSQL and RabbitMQ (found, started or installed)
	@$(WITH_SERVICES) $(BIN)/python -W ignore tests/all.py

unit: $(VENV)/.dev ## Rules alone, no server
	@$(PYTEST) tests/unit

contracts: $(VENV)/.dev ## What services tell each other
	@$(PYTEST) tests/contracts

integration: $(VENV)/.dev ## One service with its real database and broker
	@$(WITH_SERVICES) $(PYTEST) tests/integration

e2e: $(VENV)/.dev ## All services, each in its own process, over HTTP
	@$(WITH_SERVICES) $(PYTEST) tests/e2e

faults: $(VENV)/.dev ## The wire cut on purpose
	@$(WITH_SERVICES) $(PYTEST) tests/faults

bench: $(VENV)/.dev ## Moves a second, as ratios to the bare database and broker
	@$(WITH_SERVICES) $(BIN)/python -W ignore tests/bench/moves.py

bench-registry: $(VENV)/.dev ## Imports, files and search at national size, as ratios to the bare databases
	@$(WITH_SERVICES) sh -c 'for each in imports search sheets; do $(BIN)/python -W ignore tests/bench/$$each.py; done'

bench-outages: $(VENV)/.dev ## A minute each without broker, mail server, notifications, database: what is lost or doubled
	@$(WITH_SERVICES) $(BIN)/python -W ignore tests/bench/outages.py

bench-burst: $(VENV)/.dev ## Ten thousand events at once: how long until the last person is told
	@$(WITH_SERVICES) $(BIN)/python -W ignore tests/bench/burst.py

diagrams: $(VENV)/.dev ## Write the generated parts of README and docs anew
	@PYTHONPATH=. $(BIN)/python -W ignore docs/generate.py

openapi: $(VENV)/.run ## Print the interface as OpenAPI 3.1
	@$(BIN)/imece openapi

migrate: $(VENV)/.run ## Bring the databases to their newest shape
	@$(BIN)/imece migrate

up: ## Start the distributed system with containers
	@docker compose --file deploy/compose.yaml up --build --detach

down: ## Stop it
	@docker compose --file deploy/compose.yaml down
