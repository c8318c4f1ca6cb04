# Panel. A fresh clone needs Python 3.11 or later and make; everything else is fetched.

PORT ?= 8000
CHILDREN ?= 300
SEED ?= 1
DATABASE_URL ?=
WORKERS ?= 2
ROOMS ?= tests
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Some machines tell Python to keep nothing of what it compiles: then each of the hundreds of
# processes here compiles all of Panel again, two seconds for each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-database lint lint-types lint-style audit sbom bench conformance soak assets lock clean help

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Panel needs Python 3.11 or later: install it, or say where it is with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.serving: requirements/app.txt requirements/build.txt pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing what Panel runs on (once) …"
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes -r requirements/app.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.checking: requirements/dev.txt requirements/datasets.txt $(VENV)/.serving
	@echo "Installing what the tests need (once) …"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --require-hashes --no-deps -r requirements/datasets.txt
	@touch $@

assets: $(VENV)/.serving ## Build the styles and scripts
	@node --version 2>/dev/null | grep -qE '^v(2[0-9]|[3-9][0-9])\.' && npm --version >/dev/null 2>&1 || \
	  $(PIP) install --require-hashes -r requirements/assets.txt
	@$(BIN)/python -m panel.web.assets

demo: assets ## The site with a year of invented life: PORT=8000 CHILDREN=300 SEED=1
	@$(BIN)/panel demo --port $(PORT) --children $(CHILDREN) --seed $(SEED)

test: $(VENV)/.checking assets ## Every test; DATABASE_URL=… to use a server instead
	@deploy/browser.sh
	@PANEL_TEST_DATABASE_URL="$(DATABASE_URL)" $(BIN)/python -m pytest -n $(WORKERS) \
	  --dist loadfile --no-loadscope-reorder

test-database: $(VENV)/.checking assets ## The tests that talk to the database; ROOMS=… for some
	@PANEL_TEST_DATABASE_URL="$(DATABASE_URL)" $(BIN)/python -m pytest $(ROOMS) \
	  -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "database and not journey and not crawl"

lint: lint-types lint-style ## ruff, mypy, layers, migrations

lint-types: $(VENV)/.checking
	@$(BIN)/mypy

lint-style: $(VENV)/.checking
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.architecture.migration_lint

audit: $(VENV)/.checking ## Known holes of every locked dependency, or that it was not checked
	@$(BIN)/python deploy/audit.py

sbom: $(VENV)/.checking ## The bill of materials: sbom.cdx.json (CycloneDX)
	@$(BIN)/python deploy/sbom.py sbom.cdx.json

bench: $(VENV)/.checking assets ## How fast, as ratios
	@$(BIN)/python bench/pages.py --rls-off --seconds 0.8
	@$(BIN)/python bench/changes.py
	@$(BIN)/python bench/decisions.py
	@$(BIN)/python bench/matching.py
	@$(BIN)/python bench/insight_facts.py
	@$(BIN)/python bench/fhir_exchange.py
	@$(BIN)/python bench/fhir_incoming.py
	@$(BIN)/python bench/fhir_mapper.py
	@$(BIN)/python bench/fhir_versions.py
	@$(BIN)/python bench/fhir_withheld.py
	@$(BIN)/python bench/insight.py

conformance: $(VENV)/.checking assets ## All that 500 invented children are told of as FHIR, checked by others
	@folder=$$(mktemp -d) && trap 'rm -rf '"$$folder" EXIT && export PANEL_DATA_DIR="$$folder" && \
	  $(BIN)/panel demo --children 500 --seed $(SEED) --fast-forward 2 >"$$folder/played" && \
	  $(BIN)/panel fhir export --all --client demo \
	    --as-of $$(grep -o '[0-9-]*$$' "$$folder/played" | tail -1) >"$$folder/told.ndjson" && \
	  $(BIN)/python -m tests.interop.conformance "$$folder/told.ndjson"

soak: $(VENV)/.checking assets ## What takes too long for every run
	@$(BIN)/python bench/pages.py --rls-off --children 100000 --seconds 3
	@PANEL_SOAK=1 $(BIN)/python -m pytest -s tests/durability/test_kill.py
	@PANEL_SOAK=1 $(BIN)/python -m pytest tests/consent/test_histories.py
	@PANEL_SOAK=1 $(BIN)/python -m pytest -s tests/platform/test_proving.py
	@PANEL_SOAK=1 $(BIN)/python -m pytest -s tests/insight/attack
	@$(BIN)/python bench/insight.py --terms 8
	@PANEL_SOAK=1 $(BIN)/python -m pytest -s tests/insight/linking/test_febrl4.py
	@PANEL_SOAK=1 $(BIN)/python -m pytest tests/plans/test_never_without_lead.py
	@PANEL_SOAK=1 $(BIN)/python -m pytest -s tests/hostile/test_canaries.py
	@PANEL_SOAK=1 $(BIN)/python -m pytest -s tests/hostile/test_no_faults.py \
	  tests/hostile/test_others_objects.py tests/hostile/test_scripts_in_every_text.py
	@folder=$$(mktemp -d) && trap 'rm -rf '"$$folder" EXIT && \
	  $(BIN)/panel demo --data-dir "$$folder" --children 60 --seed $(SEED) --fast-forward 26

lock: ## Resolve the dependencies anew, with hashes
	@for part in app build assets; do \
	  case $$part in app) from=pyproject.toml;; *) from=requirements/$$part.in;; esac; \
	  uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header $$from -o requirements/$$part.txt; done
	@uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --extra dev pyproject.toml -o requirements/dev.txt

clean: ## Remove what was built and the demonstration's data
	@rm -rf $(VENV) node_modules .panel src/panel/web/static/built
