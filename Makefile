# Every target that needs the environment makes .venv by itself, once; setup_env.py holds that logic.
# On Windows without make: `python setup_env.py`, then `.venv/Scripts/python -m musegen_lib tour`.
PYTHON ?= python3
STAMP := .venv/musegen-setup.stamp
RUN := .venv/bin/python -m
SECONDS ?= 60
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help music test lint unit-test caches notebook-test portable portable-ci lab book book-test train bench notebooks fuzz \
	ledger study mutants student-test

help: ## list the targets
	@echo "make TARGET (the first one also makes .venv, which takes two minutes):"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) > /dev/null || { echo "No $(PYTHON) here. Install Python 3.11 or newer, or choose one: make music PYTHON=python3.12"; exit 1; }
	@$(PYTHON) setup_env.py

music: $(STAMP) ## real and generated music on one page, out/index.html
	$(RUN) musegen_lib tour --out out

test: lint unit-test notebook-test ## everything that must pass: lint, unit tests, notebooks; stops at the first error

lint: $(STAMP) ## ruff: rules and layout; contracts on imports
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	.venv/bin/lint-imports --no-logo --no-cache

unit-test: caches ## unit tests and the examples in docstrings, on two processes
	OMP_NUM_THREADS=1 $(RUN) pytest -x -q -n 2 --dist loadfile -m "not slow" tests musegen_lib

student-test: caches ## run every lesson as students get it, without solutions (7 minutes)
	OMP_NUM_THREADS=1 $(RUN) pytest -x -q -n 2 --dist worksteal -m slow tests/repo/test_student_notebooks.py

caches: $(STAMP)
	$(RUN) musegen_lib data verify > /dev/null # two notebooks would build a cache at once, and say so
	.venv/bin/python -c "from musegen_lib.models.search.similar import tune_points; tune_points()"

notebook-test: caches ## run every notebook, two at a time, and compare with its stored outputs
	OMP_NUM_THREADS=1 $(RUN) pytest -n 2 --dist loadfile -p tests.nbval_guard @tests/nbval_options.txt notebooks

portable: caches ## run lessons and commands in the disguises of other processors; prints what moved (25 minutes)
	$(RUN) tests.portable

portable-ci: caches # the lessons that rank things, as an AVX2 processor and as one without vector code runs them
	$(RUN) tests.portable --no-files --lessons 05_style_transfer,06_recommendation,06b_listeners --disguises avx2,oldest

notebooks: $(STAMP) ## run every notebook again and store its outputs
	@test -n "$(NOTEBOOKS)" || { echo "There is no notebook in notebooks/ yet."; exit 1; }
	$(RUN) musegen_lib notebook run $(NOTEBOOKS)

lab: $(STAMP) ## open the notebooks in JupyterLab
	$(RUN) jupyterlab notebooks

fuzz: $(STAMP) ## attack the readers for SECONDS, kill trainings, fill disks, make music for long; keeps what fails
	cd tests/trust && OMP_NUM_THREADS=1 ../../$(RUN) fuzz --replay
	cd tests/trust && OMP_NUM_THREADS=1 ../../$(RUN) fuzz --seconds $(SECONDS)
	cd tests/trust && OMP_NUM_THREADS=1 ../../$(RUN) kills --kills 50
	cd tests/trust && OMP_NUM_THREADS=1 ../../$(RUN) full_disks
	cd tests/trust && OMP_NUM_THREADS=1 ../../$(RUN) long_use

mutants: $(STAMP) ## change the orchestrating modules in small ways and list the changes that no test notices
	@test -x .venv/bin/mutmut || .venv/bin/python -m pip install -c constraints.txt -e ".[mutants]"
	OMP_NUM_THREADS=1 TQDM_DISABLE=1 MUSEGEN_DATA="$(CURDIR)/data" .venv/bin/mutmut run --max-children 1
	.venv/bin/mutmut results

train: $(STAMP) ## train the published models again (an hour and a half)
	$(RUN) musegen_lib train rnn
	$(RUN) musegen_lib train rnn-chorales
	$(RUN) musegen_lib train phrase-ends
	$(RUN) musegen_lib train harmoniser
	$(RUN) musegen_lib train vae
	$(RUN) musegen_lib train gan
	$(RUN) musegen_lib train gan-phrases
	$(RUN) musegen_lib train gan-sketch
	for net in style-judges style-rolls style-fluency style-rnn style-vae style-vae-ensemble style-gan tune-encoder; do \
		$(RUN) musegen_lib train $$net || exit 1; done

bench: $(STAMP) ## measure times and model figures on this machine; KEEP=1 writes the committed table
	$(RUN) tests.bench $(if $(KEEP),--keep)

study: $(STAMP) ## run a long experiment again: make study NAME=vae-rates; without a name, list them
	OMP_NUM_THREADS=1 $(RUN) data.studies.run $(NAME)

ledger: $(STAMP) ## write the pages of the book that quote what lessons recorded
	.venv/bin/python book/_tools/ledger_pages.py

book: $(STAMP) ## build the book into book/_build/html, warnings as errors, and follow its links
	.venv/bin/python book/_tools/build.py

book-test: book ## try the book in a real browser: pages, players, search, playground, keyboard, contrast
	OMP_NUM_THREADS=1 $(RUN) pytest -q -rs -n 2 book/_tests book/_ext
