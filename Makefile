# What people type: run, test, bench, docs, wheel, lock, audit, format, drills, clean.  "make" alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= data
# Which tests: make test TESTS=tests/web
TESTS ?=
WORKERS ?= 2
# How often the drills are repeated: make drills ROUNDS=3
ROUNDS ?= 10

VENV := .venv
BIN := $(VENV)/bin
# A stamp tells that the environment holds what these files ask for.
STAMPS := $(VENV)/.stamps
PROJECT := setup.cfg pyproject.toml requirements-build.lock
CODE := appliance plugins transcoder web tests tools docs
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --quiet
# The extras in "all": what the image holds. Named one by one, since a lock that names the project itself cannot be held against hashes.
ALL := cluster oidc otel sentry stripe
# pip-tools writes neither where packages came from nor what was typed: a lock holds names, versions and hashes.
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

.PHONY: help run test lint types contracts spelling docs manual bench drills hosts containers lock audit format clean

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22
	@echo "  'make run' takes HOST, PORT and DATA, such as: make run PORT=9000 DATA=/srv/music"

# Whether only this machine can reach HOST; elsewhere the demo's public passwords must not be.
LOOPBACK := $(filter localhost 127.% ::1,$(HOST))

run: $(STAMPS)/run $(if $(LOOPBACK),$(DATA)/.demo) ## Run MusicConnect with a demo collective at http://127.0.0.1:8000
	@$(if $(LOOPBACK),,echo "Without the demo: its passwords are public, and others can reach $(HOST).")
	@exec $(BIN)/musicconnect --data "$(DATA)" serve --host "$(HOST)" --port "$(PORT)"

# Made once for each installation, so that starting again need not look.
$(DATA)/.demo: $(STAMPS)/run
	@$(BIN)/musicconnect --data "$(DATA)" demo
	@touch $@

test: $(STAMPS)/dev ## Check format, lint, types, imports, spelling and docs, and run all tests
	@$(BIN)/python tools/test_needs.py
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory lint types contracts spelling manual
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

lint: $(STAMPS)/dev
	$(BIN)/ruff check .

types: $(STAMPS)/dev
	$(BIN)/mypy

contracts: $(STAMPS)/dev
	$(BIN)/lint-imports

spelling: $(STAMPS)/dev
	git ls-files -z | xargs -0 $(BIN)/codespell

docs: $(STAMPS)/dev ## Write the reference pages and build the manual into docs/_build/html
	$(BIN)/python tools/reference.py
	@$(MAKE) --no-print-directory manual

# A warning is an error. The reference pages are part of the project; a test says when they are old.
manual: $(STAMPS)/dev
	$(BIN)/sphinx-build -q -n -W --keep-going -b html docs docs/_build/html

texts: $(STAMPS)/dev ## Gather the texts of pages and scripts and compile their translations
	$(BIN)/python tools/translations.py

# From an empty build folder: what was deleted since must not come back by it.
wheel: $(STAMPS)/dev ## Build the package that deploy/ansible installs, into dist/
	@rm -rf build dist
	@# With the instant of the commit, so that the same files are the same wheel.
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build
	@ls dist

bench: $(STAMPS)/dev ## Measure, and write docs/benchmarks.md and the tables of docs/scale.md
	@$(BIN)/python tools/test_needs.py benchmarks
	$(BIN)/python -m tests.benchmarks

# 47 times each of some 60 operations by each of four kinds of people are more than ten thousand requests.
drills: $(STAMPS)/dev ## Ask the API ten thousand times, break files, tell a long year, kill processes ROUNDS times, set hosts and containers up and break them
	CASES=47 $(BIN)/python -m pytest -n $(WORKERS) tests/web/test_every_operation.py
	MUTATIONS=200 $(BIN)/python -m pytest -n $(WORKERS) tests/transcoder/test_fuzzed_media.py
	YEAR_FANS=2000 $(BIN)/python -m pytest -n $(WORKERS) tests/appliance/billing/test_simulated_year.py
	@for round in $$(seq $(ROUNDS)); do echo "Round $$round"; $(BIN)/python -m pytest tests/journeys/test_killed_processes.py tests/journeys/test_killed_payments.py tests/journeys/test_killed_payouts.py; done
	@$(MAKE) --no-print-directory hosts containers

# In the order in which they are written, for one goes on where the other ended.
hosts: $(STAMPS)/dev ## Set up hosts by Ansible, on this machine and as root: install, upgrade, go back, kill, restore, one node and a cluster of eight
	@$(BIN)/python tools/test_needs.py hosts
	$(BIN)/python -m pytest -p no:randomly -n 0 -s $(addprefix tests/deploy/drills/drill_,one_node.py certificate.py postgres.py redis.py backup.py roles.py)
	$(BIN)/python -m pytest -p no:randomly -n 0 -s tests/deploy/drills/drill_cluster.py

containers: $(STAMPS)/dev ## Build the image and run one node and a cluster of containers, on this machine and as root
	$(BIN)/python -m pytest -p no:randomly -n 0 -s tests/deploy/docker/drill_docker.py

format: $(STAMPS)/dev ## Put the code into the house's format
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

lock: $(STAMPS)/dev ## Make the lock files anew with the newest versions that setup.cfg allows
	$(PIP_COMPILE) --upgrade --only-build-deps --build-deps-for editable --output-file requirements-build.lock setup.cfg
	$(PIP_COMPILE) --upgrade --constraint requirements-build.lock --output-file requirements.lock setup.cfg
	$(PIP_COMPILE) --upgrade --constraint requirements.lock $(ALL:%=--extra %) --output-file requirements-all.lock setup.cfg
	$(PIP_COMPILE) --upgrade --constraint requirements-all.lock --extra cluster --extra test --extra docs --extra deploy \
	  --output-file requirements-dev.lock setup.cfg

# There is no list of advisories to keep in the project that would not be old tomorrow: without the network nothing is proven, so it fails.
audit: $(STAMPS)/dev ## Ask whether faults are known in the locked packages; needs the network
	@$(BIN)/pip-audit --disable-pip --require-hashes --progress-spinner off -r requirements.lock \
	  || { echo "NOT CLEAN, or the advisories could not be reached: then nothing was checked."; exit 1; }

clean: ## Remove what was built; data and environment stay
	rm -rf build dist docs/_build .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/made:
	@$(PYTHON) tools/environment.py $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/build: requirements-build.lock $(STAMPS)/made
	@$(PIP_INSTALL) --require-hashes -r requirements-build.lock
	@touch $@

# --no-build-isolation: what builds a package is pinned too, in requirements-build.lock.
$(STAMPS)/run: requirements.lock $(PROJECT) $(STAMPS)/build
	@echo "Installing MusicConnect into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes --no-build-isolation --use-pep517 -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/run
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes --no-build-isolation --use-pep517 -r requirements-dev.lock
	@touch $@
