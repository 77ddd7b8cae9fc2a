# What it takes to try, test and change Tickloom. Every target sets up what it needs, once.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JARS := .jars/.stamp
ASSETS := .assets/.stamp

# The first Python 3.11 or 3.12 whose library a JVM can load.
FIND_PYTHON = for python in python3.11 python3.12 python3; do \
	  $$python -c 'import sys, sysconfig; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)) or not sysconfig.get_config_var("Py_ENABLE_SHARED"))' \
	    2>/dev/null && echo $$python && exit; done

# At a terminal the stack gets a process group of its own: Ctrl-C reaches it alone, and its exit code, 0, becomes make's.
ALONE = [ ! -t 0 ] || set -m;

.PHONY: help demo up test test-long fuzz check lock bench recovery soak clean
.DEFAULT_GOAL := help

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) $(JARS) $(ASSETS) ## The whole stack with a simulated exchange and a live table; Ctrl-C ends it
	@$(ALONE) $(BIN)/tickloom demo $(ARGS); exit $$?

up: $(READY) $(JARS) $(ASSETS) ## The stack without the simulation; Ctrl-C ends it
	@$(ALONE) $(BIN)/tickloom up $(ARGS); exit $$?

# Three processes share the files of tests: while one waits for a JVM, the others work. Each has a broker and a mini-cluster of its own.
test: $(READY) $(JARS) $(ASSETS) ## Every test, with the short profile's counts
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: $(READY) $(JARS) $(ASSETS) ## Every test, with the counts the issues name
	@TICKLOOM_TEST_PROFILE=long $(BIN)/python -m pytest $(ARGS)

fuzz: $(READY) ## Look for lines that break a law of the gateway, for 10 minutes (ARGS=60: seconds)
	@$(BIN)/python -c "import atheris" 2> /dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r tests/fuzz/requirements.txt
	@$(BIN)/python -m tests.fuzz $(ARGS)

check: $(READY) ## Style, format, types, and which package may import which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) $(JARS) $(ASSETS) ## Throughput, peers, latency, state and indicators on this machine (ARGS=throughput picks a part)
	@$(BIN)/python -m benchmarks $(ARGS)

recovery: $(READY) $(JARS) $(ASSETS) ## How soon results come again after a kill -9 of each process (ARGS="--kills 10")
	@$(BIN)/python -m benchmarks.recovery $(ARGS)

soak: $(READY) $(JARS) $(ASSETS) ## The chart page open for ten minutes while 50 symbols move: memory and frames (ARGS="--minutes 1")
	@$(BIN)/python -m benchmarks.page_soak $(ARGS)

lock: $(BIN)/python ## Write requirements.lock anew (ARGS=--upgrade takes newer versions)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock $(ARGS)

clean: ## Remove the environment, jars, assets and every cache; data in .tickloom stays
	rm -rf $(VENV) .jars .assets .bench .fuzz dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "Python 3.11 or 3.12 with a shared libpython is needed; try: apt-get install python3 python3-venv" >&2; exit 4; fi; \
	echo "environment: $(VENV), $$($$python --version)" >&2; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); echo "try: apt-get install python3-venv" >&2; exit 4; }

# uv installs in seconds what takes pip a minute; where it does not know the way to the packages (an index set for pip only), pip does.
$(READY): requirements.lock pyproject.toml | $(BIN)/python
	@echo "packages: requirements.lock" >&2
	@awk '/^[^ #]/ { wanted = /^uv==/ } wanted' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --require-hashes -r $(VENV)/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(JARS): pom.xml | $(READY)
	@$(BIN)/tickloom --set stack.jars=.jars --set stack.assets=.assets setup
	@touch $@

$(ASSETS): package.json package-lock.json | $(JARS)
	@$(BIN)/tickloom --set stack.jars=.jars --set stack.assets=.assets setup
	@touch $@
