# `make demo` and `make test` need Python 3.10-3.12, pip, make, git and g++; everything else they fetch themselves.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help .venv demo check test docs bench speed dist clean

help:
	@echo "make demo    the whole story on the demo speaker: out/drive.mp4, out/sheet.png, out/demo.json"
	@echo "make check   style and the fast tests, in a minute or two"
	@echo "make test    style, documentation and all tests"
	@echo "make docs    the documentation as a site, in out/docs"
	@echo "make bench   quality figures on the demo speaker"
	@echo "make speed   speed figures: kernels, a fit, a drive, the studio"
	@echo "make .venv   only the virtual environment"
	@echo "make dist    the wheel, in dist/"

.venv: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' || { \
	  echo "talker needs Python 3.10-3.12 and $(PYTHON) is not; say which one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; \
	  exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv
	$(BIN)/python -m tools.demo

check: .venv
	$(BIN)/ruff check .
	$(BIN)/pytest -m 'not slow'

test: .venv docs
	$(BIN)/ruff check .
	$(BIN)/pytest

docs: .venv
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: .venv
	$(BIN)/python -m tools.bench quality

speed: .venv
	$(BIN)/python -m tools.bench kernels
	$(BIN)/python -m tools.bench fit
	$(BIN)/python -m tools.bench drive
	$(BIN)/python -m tools.bench studio

dist: .venv
	$(BIN)/python -m pip wheel --quiet --no-deps -w dist .

clean:
	rm -rf out dist build talker.egg-info .pytest_cache .ruff_cache
