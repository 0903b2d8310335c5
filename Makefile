# One command for each thing to do; needs Python 3.11 or newer, git and make.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast check docs bench venv newest lowest packages lock clean

# Compiled modules make every later start faster, here as for any user.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK = 1

VENV := .venv
BIN := $(VENV)/bin
# The versions of everything that is installed here.
LOCK := locks/development.txt
VERSIONS := --constraint $(LOCK) --build-constraint $(LOCK)
# A module is compiled when it is first imported; most are never.
PIP := $(BIN)/python -m pip install --quiet --no-compile $(VERSIONS)
TESTS ?=
PARTS ?=
# Tests run in so many processes, one more than there are processors, since many of them wait for
# others; with WORKERS=0 in one, for a debugger.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal

help: ## list the targets
	@echo "Targets:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s%s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## run the example pipeline and show its results
	@examples/quickstart/demo.sh "$(CURDIR)/$(BIN)/python"

test: $(VENV)/.dev ## run all tests; name each that fails at once
	$(PYTEST) $(TESTS)

test-fast: $(VENV)/.dev ## run the tests that start no program or server: a minute or two
	$(PYTEST) --fast $(TESTS)

check: $(VENV)/.dev ## format, lint, types, import rules, docs drift, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pipestat_spec.documents.json_schemas --check
	$(BIN)/python -m pipestat_spec.cli.reference --check
	$(BIN)/python -m pipestat_serve.reference --check
	$(BIN)/python -m pipestat_spec.installing --check
	$(PYTEST)

docs: $(VENV)/.dev ## build the documentation as a site in build/site
	@$(BIN)/python -m docs.site
	@echo "open build/site/index.html"

bench: $(VENV)/.dev ## measure against pipestat 0.13.1 and the raw floor
	$(BIN)/python -m benchmarks $(PARTS)

venv: $(VENV)/.dev ## make .venv with everything for development

newest: $(VENV)/.dev ## run the core tests with the newest versions; say what is newer and what fails
	@.ci/newest $(BIN)/python

lowest: $(VENV)/.dev ## run the core tests with the lowest versions that pyproject.toml allows
	@.ci/lowest $(BIN)/uv

packages: .venv-packages/.done ## build the sdists and wheels into dist/ and look at them
	@.ci/packages .venv-packages/bin/python dist

lock: $(VENV)/.dev ## renew the exact versions in locks/ that all of this is installed in
	@.ci/lock $(BIN)/uv

clean: ## remove what the other targets made
	rm -rf $(VENV) .venv-* .envs .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	rm -rf examples/*/output benchmarks/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp stands for a finished installation; a changed pyproject.toml or lock makes it anew.
$(VENV)/.core: pyproject.toml $(LOCK)
	@python=$$(PYTHON="$(PYTHON)" .ci/find-python) && $$python -m venv $(VENV)
	@echo "installing pipestat-spec into $(VENV)"
	@# The pip that Python brings may be too old for the other options.
	@$(BIN)/python -m pip install --quiet --no-compile --constraint $(LOCK) --upgrade pip
	@$(PIP) --editable .
	@touch $@

$(VENV)/.demo: $(VENV)/.core examples/quickstart/requirements.txt
	@echo "installing what the example draws with"
	@$(PIP) --requirement examples/quickstart/requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.demo conformance_tests/pyproject.toml
	@echo "installing the tools for development"
	@$(PIP) --group uv
	@.ci/install $(BIN)/python $(BIN)/python $(VERSIONS) \
		--editable ./conformance_tests --group test --group lint
	@touch $@

.venv-packages/.done: pyproject.toml locks/packages.txt $(VENV)/.core
	@$(BIN)/python -m venv --clear --without-pip .venv-packages
	@$(BIN)/python -m pip --python .venv-packages install --quiet --no-compile \
		--constraint locks/packages.txt --group packages
	@touch $@
