# torhaus: one command each, for people and for CI. A fresh machine needs Python 3.11 or newer, git and make.
#
#   make demo      the whole gateway on loopback, with simulated gateways, meters and a scan station
#   make test      the test suite                     make test ARGS="-k outbox"
#   make test-crash   the long crash suite: kills, power cuts, a full disk, outages (as root; about half an hour)
#   make fuzz      a million changed datagrams, frames and telegrams for everything that reads bytes from outside
#   make check     lint, format, types, documentation in step with the code
#   make bench     measure on this machine, 20 minutes        make bench ARGS="--only uplinks/native --runs 1"
#   make bench-long   the same with millions of records       make profile: where the daemon's time goes (py-spy)
#   make lock      resolve the dependencies anew and write requirements*.lock
#   make wheels    torhaus and all it needs as wheels, for boxes without internet
#   make install   as root: install the service system-wide (SERIAL=1 for serial devices, WHEELS=dir for no internet)
#   make clean     remove everything that was built here

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
LINKS := daemon drivers codecs
UV_VERSION := 0.13.9

# A Python that was removed or upgraded leaves a .venv that does not start: make it anew.
ifneq ($(wildcard $(VENV)),)
ifneq ($(shell $(BIN)/python -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null),True)
$(shell rm -rf $(VENV))
endif
endif

# The first Python that is new enough, works, and can make virtual environments; says what is missing when there is none.
define find_python
found=""; bare=""
for name in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do
  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
  if "$$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then found="$$name"; break; fi
  bare="$${bare:-$$name}"
done
if [ -z "$$found" ] && [ -n "$$bare" ]; then
  echo "make: $$bare cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 69
fi
if [ -z "$$found" ]; then
  echo "make: no Python 3.11 or newer found. On Debian 12 and later: apt install python3 python3-venv" >&2; exit 69
fi
endef
export find_python

.PHONY: help demo test test-crash fuzz check bench bench-long profile lock wheels install clean links peers

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.run
	@$(BIN)/torhaus demo $(ARGS)

# files side by side, one on each core; ARGS="-n 0": one after the other
test: $(VENV)/.dev peers
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

# TORHAUS_CRASH_ROUNDS=n: so many kills, cuts and so on instead of the numbers in the tests
test-crash: $(VENV)/.dev peers
	@$(BIN)/python -m pytest tests/crash $$(grep -rl --include='test_*.py' 'pytest.mark.crash' tests/codecs tests/daemon tests/drivers tests/e2e) \
	  -m "crash or not crash" -s $(ARGS)

# make fuzz ARGS="-k gwmp": one kind only        TORHAUS_FUZZ_ROUNDS=n: so many each        TORHAUS_FUZZ_SEED=n: others
fuzz: $(VENV)/.dev
	@TORHAUS_FUZZ_ROUNDS=$${TORHAUS_FUZZ_ROUNDS:-1000000} $(BIN)/python -m pytest tests/fuzz $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@# never from the top: mypy puts the current folder on its path, and codecs/ would hide the standard library's module
	@cd .dev && ../$(BIN)/mypy --config-file ../pyproject.toml --cache-dir ../.mypy_cache -p torhaus
	@mkdir -p build/types && ln -sfn ../../tests build/types/tests && ln -sfn ../../bench build/types/bench
	@cd build/types && ../../$(BIN)/mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache \
	  -p tests $(if $(wildcard bench/*.py),-p bench)
	@if [ -f docs/generate.py ]; then $(BIN)/python docs/generate.py --check; fi

bench: $(VENV)/.run
	@$(BIN)/python -m bench $(ARGS)

bench-long: $(VENV)/.run
	@$(BIN)/python -m bench --long $(ARGS)

profile: $(VENV)/.run
	@$(BIN)/python -m bench --only uplinks/native --runs 1 --profile build/profile $(ARGS)

# The import name comes from four links; some ways of copying a tree lose them.
links:
	@mkdir -p .dev/torhaus
	@link() { \
	  if [ -d "$$2" ] && [ ! -L "$$2" ]; then echo "make: $$2 is a copy, not a link: remove it" >&2; exit 69; fi; \
	  [ "$$(readlink "$$2" || true)" = "$$1" ] || { rm -f "$$2"; ln -s "$$1" "$$2"; }; \
	}; \
	for name in $(LINKS); do link "../../$$name" ".dev/torhaus/$$name"; done; \
	link ../../daemon/__main__.py .dev/torhaus/__main__.py

$(VENV)/.python:
	@eval "$$find_python"; \
	echo "making $(VENV) with $$("$$found" --version) ..."; \
	[ -x $(BIN)/python ] || "$$found" -m venv $(VENV)
	@touch $@

$(VENV)/.run: requirements.lock requirements-build.lock pyproject.toml $(VENV)/.python | links
	@echo "installing what requirements.lock pins ..."
	@$(PIP) install --no-deps --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run | links
	@echo "installing what requirements-dev.lock pins ..."
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

# Tests talk to real counterparts. Without them they are skipped, unless CI or TORHAUS_REQUIRE_PEERS is set.
peers:
	@missing=""; \
	while read -r package program; do \
	  [ -z "$$program" ] || PATH="$$PATH:/usr/sbin:/sbin" command -v "$$program" >/dev/null || missing="$$missing $$package"; \
	done < <(sed 's/#.*//' .ci/packages); \
	[ -z "$$missing" ] || echo "tests of these will be skipped, not installed:$$missing (apt install$$missing)"

lock:
	@rm -rf build/lock && mkdir -p build
	@eval "$$find_python"; "$$found" -m venv build/lock
	@build/lock/bin/python -m pip --quiet --disable-pip-version-check install uv==$(UV_VERSION)
	@# names, versions and hashes only: no registry's address
	@export UV_PYTHON_DOWNLOADS=never UV_PYTHON=build/lock/bin/python; \
	compile() { build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links "$$@"; }; \
	compile --all-extras pyproject.toml -o requirements.lock; \
	compile --all-extras --group dev pyproject.toml -o requirements-dev.lock; \
	build/lock/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | compile --constraint requirements-dev.lock - -o requirements-build.lock
	@rm -rf build/lock

wheels:
	@eval "$$find_python"; systemd/install.sh --wheels dist/wheels --python "$$found"

install:
	@systemd/install.sh $(if $(SERIAL),--serial) $(if $(WHEELS),--from $(WHEELS)) $(if $(PYTHON),--python $(PYTHON))

clean:
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
