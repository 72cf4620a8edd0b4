# Two of these are enough to begin with: `make demo` and `make test`. `make` alone lists the rest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
PORT ?= 8080
DATA ?= ./data/demo
LAN ?=
T ?=
# Tests wait for a browser or a server a third of their time: two cores are kept busy by three.
JOBS ?= 3
ONLY ?=

RUN := .venv/bin/python -m
# Tests start some eighty servers; compiled anew, whatever the shell says of that, each takes a quarter of a second more.
CACHED := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/.venv/pycache"
COMPILE := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --python-version 3.11

## Run it

.PHONY: demo
demo: setup ## Run server, sandbox and portal: PORT=8080 DATA=./data/demo LAN=1 WORKERS=1 LOAD=1
	@exec .venv/bin/bjidp demo --port "$(PORT)" --data "$(DATA)" $(if $(filter-out 0,$(LAN)),--lan)

.PHONY: setup
setup: ## Make .venv with what the demo needs
	@$(PYTHON) scripts/setup.py demo

## Work on it

.PHONY: test
test: setup-test $(if $(T),,check) ## Check everything and run every test, JOBS=3 at once; T=tests/unit/qrlogin runs a part
	@$(CACHED) $(RUN) pytest $(or $(T),--numprocesses $(JOBS))

.PHONY: check
check: setup-test ## Check format, lint, types and import rules; says all that is wrong, not the first only
	@$(MAKE) --keep-going check-format check-lint check-types check-imports

.PHONY: fmt
fmt: setup-test ## Format the code, and repair what the linter can repair
	@$(RUN) ruff check --fix-only .
	@$(RUN) ruff format .

.PHONY: bench
bench: setup-test ## Measure, and print one table; ONLY=pages measures a part
	@$(RUN) bench $(addprefix --only ,$(ONLY))

## Keep house

.PHONY: setup-test
setup-test: ## Make .venv with tools, test servers and a browser too
	@$(PYTHON) scripts/setup.py test

.PHONY: lock
lock: setup-test ## Choose versions anew within pyproject.toml and lock them by hash; UPGRADE=1 takes the newest
	$(COMPILE) $(if $(UPGRADE),--upgrade) --group build --output-file requirements/build.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra sandbox --output-file requirements/runtime.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra sandbox --group dev \
		--constraints requirements/runtime.lock --output-file requirements/dev.lock

.PHONY: clean
clean: ## Remove .venv and every cache; the demo's data stays
	rm -rf .venv build dist tests/interop/node_modules bench/peer/node_modules
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find bjidp tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^## / { printf "\n%s\n", substr($$0, 4) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The parts of `check`.

.PHONY: check-format check-lint check-types check-imports
check-format:
	@$(RUN) ruff format --check --quiet . || { echo "Not formatted: run make fmt" >&2; exit 1; }
check-lint:
	@$(RUN) ruff check .
check-types:
	@$(RUN) mypy
check-imports:
	@.venv/bin/lint-imports
