# Sendoff: `make demo` and `make test` do all their own set-up. `make help` lists the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3.13 || command -v python3)
SERIES ?=
BIN := .venv/bin
SCENE ?=
SCENES ?=
TASK ?=
JOBS ?=
JSON ?=

.DEFAULT_GOAL := help
.PHONY: help setup bpy demo up test test-faults fidelity test-fidelity desktop test-desktop test-browser test-studio check format addon maya addon-repository bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make the environment .venv
	@$(PYTHON) scripts/setup.py main

bpy: ## Make a Blender environment (SERIES="4.2 5.0" for others than the default)
	@$(PYTHON) scripts/setup.py bpy $(SERIES)

demo: setup ## The whole loop on this machine; SCENE=path/to/any.blend for a scene of your own
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/demo.py $(if $(SCENE),--scene "$(SCENE)")

up: setup ## Start server, worker and embedded Valkey on this machine, and stay
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/up.py

test: setup ## All tests
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/test.py

test-faults: setup ## Kill, hang and cut parts of a running stack
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/test.py faults

fidelity: setup ## Compare results with what the artist sees; SCENES=folder (SERIES=, TASK=, JOBS=, JSON=)
	@$(BIN)/python scripts/fidelity $(if $(SCENES),"$(SCENES)") $(if $(SERIES),--series $(SERIES)) \
	  $(if $(TASK),--task $(TASK)) $(if $(JOBS),--jobs $(JOBS)) $(if $(JSON),--json "$(JSON)")

test-fidelity: setup ## The same on the scenes of its own, in each Blender
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/test.py fidelity

desktop: setup ## Make a Debian 13 with a real Blender window in build/desktop (as root, 3 minutes, once)
	@$(BIN)/python scripts/desktop.py

test-desktop: setup ## The add-on in a real Blender window, with mouse and keyboard, and inside Blender 5.2
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/test.py desktop

test-browser: setup ## The pages in a real Chromium
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/test.py browser

test-studio: setup ## The loop on redis-server and RabbitMQ from the system
	@PYTHON="$(PYTHON)" $(BIN)/python scripts/test.py studio

check: setup ## Lint, format, types, import rules, known holes of packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python scripts/check_addon.py
	@$(BIN)/python scripts/check_maya.py
	@PYTHONPATH=client:store:server:worker $(BIN)/lint-imports --no-cache
	@$(BIN)/python scripts/check_packages.py

format: setup ## Write the code in the project's format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

addon: setup ## Build the Blender extension: dist/sendoff-VERSION.zip
	@$(BIN)/python scripts/build_addon.py

maya: setup ## Build the Maya module: dist/sendoff-maya-VERSION.zip
	@$(BIN)/python scripts/build_maya.py

addon-repository: setup ## Build the repository that artists' Blenders update from: dist/addon/
	@$(BIN)/python scripts/build_repository.py

bench: setup ## Print the tables of docs/performance.md
	@PYTHON="$(PYTHON)" $(BIN)/python bench/run.py

clean: ## Remove everything that was made (environments, build/, dist/)
	rm -rf .venv build dist
