# The two commands of this project: `make demo` and `make test`. Both install what is missing on a Debian or Ubuntu machine.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
SYSTEM_PYTHON := /usr/bin/python3

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

system: ## install the Debian packages that are missing (QGIS, ffmpeg, off-screen OpenGL)
	@tools/system-packages

demo: system ## geolocate the built-in demo drive through qgis_process, and draw a map of it
	@engine=$$($(SYSTEM_PYTHON) tools/environment.py engine) && PYTHONPATH=$(CURDIR) $$engine/bin/python tools/demo.py

example: system ## learn a real flight, find another, evaluate and draw (some two minutes on two idle cores)
	@engine=$$($(SYSTEM_PYTHON) tools/environment.py engine) && PYTHONPATH=$(CURDIR) $$engine/bin/python tools/example.py

test: ## every test, in the engine's environment and in QGIS
	@tools/system-packages tests
	@tools/run-tests

test-fast: ## the tests that take seconds
	@tools/system-packages tests
	@tools/run-tests fast

test-qgis: ## the tests inside QGIS once more, on QGIS 3.44, or on another with QGIS=3.40 (as root; 4 GB in a folder)
	@tools/test-qgis $(or $(QGIS),3.44) $(TESTS)

test-oldest: ## the engine's tests that take seconds, with the oldest versions that pyproject.toml allows; KEEP=torch,torchvision lends those
	@$(SYSTEM_PYTHON) tools/oldest.py $(if $(KEEP),--keep $(KEEP)) $(TESTS)

lint: ## ruff and mypy
	@engine=$$($(SYSTEM_PYTHON) tools/environment.py engine) && $$engine/bin/ruff check . && $$engine/bin/ruff format --check . && $$engine/bin/mypy

format: ## format the code
	@engine=$$($(SYSTEM_PYTHON) tools/environment.py engine) && $$engine/bin/ruff check --fix . && $$engine/bin/ruff format .

docs: ## build the documentation, strictly, into build/site; open index.html there
	@docs=$$($(SYSTEM_PYTHON) tools/environment.py docs) && NO_MKDOCS_2_WARNING=1 $$docs/bin/python -m mkdocs build --strict

plugin: ## build dist/vidtag_qgis.zip for QGIS's plugin manager
	@mkdir -p dist && $(SYSTEM_PYTHON) tools/plugin.py zip dist/vidtag_qgis.zip

demo-world: ## make the demo again from its seed: render the isle, train, and write resources/demo (less than an hour)
	@engine=$$($(SYSTEM_PYTHON) tools/environment.py engine) && PYTHONPATH=$(CURDIR) $$engine/bin/python -m benchmarks.make_demo

.PHONY: help system demo example test test-fast test-qgis test-oldest lint format docs plugin demo-world
