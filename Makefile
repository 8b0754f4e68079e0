# Thin: each target is one or two commands, all of them run from .venv, made when missing.
PYTHON ?= python3
# Build of torch: cpu, auto (what the GPU needs), cu130, ...
TORCH  ?= cpu
ENV    ?= base
# What is recognised: glyph (one Ukrainian letter or digit), character (EMNIST), document (handwritten or printed) or line (its text).
TASK   ?= glyph
PORT   ?= 8000
FROM   ?=
# Where corpora, the DAGs for Airflow, or the report go.
TO     ?=
# Experiments: which, and how many runs at the same time.
FILE    ?= conf/experiments/corpora.yml
WORKERS ?= 1
# How long the service is loaded, and with which of the load benchmarks.
MINUTES ?= 30
LOADS   ?=
# Backup and restore: of the stack of plain processes, or of compose; and whether what is there may be lost.
STACK   ?= processes
REPLACE ?=
# The benchmark: some of its parts, or all of them.
PARTS  ?=
BIN    := .venv/bin

.PHONY: help run retrain review test check serve viz report dags corpora experiments benchmark load soak rollback stack stack_down backup restore install clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z_]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z_]+):.*## /\1\t/' | expand -t 13

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) tools/install.py --venv=.venv --torch=$(TORCH)

install: .venv/.installed ## make .venv and install everything into it

run: .venv/.installed ## the main job, from data to a model in production (ENV=real for the public corpora, TASK=character)
	$(BIN)/python -m bukva job --env=$(ENV) --task=$(TASK)

benchmark: ENV := real
benchmark: .venv/.installed ## measure every target of docs/benchmark.md (PARTS=latency for one), in ENV=real
	$(BIN)/python benchmarks/measure_targets.py --env=$(ENV) $(if $(filter real,$(ENV)),--page=docs/benchmark.md) $(PARTS)

load: .venv/.installed ## the service under load, beside its peers (LOADS=overload for one)
	$(BIN)/python benchmarks/service_load.py $(LOADS)

soak: .venv/.installed ## the service at half load for long, its model changing (MINUTES=360)
	$(BIN)/python benchmarks/soak.py --minutes=$(MINUTES)

retrain: .venv/.installed ## learn from corrections too, and end in a candidate (ENV=real for the public corpora)
	$(BIN)/python -m bukva retrain --env=$(ENV)

review: PORT := 8020
review: .venv/.installed ## decide on http://127.0.0.1:8020 what doubtful corrections show (ENV=real)
	$(BIN)/python -m bukva review --env=$(ENV) --port=$(PORT)

test: .venv/.installed ## every test, in two processes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --no-loadscope-reorder

check: .venv/.installed ## ruff, mypy, import-linter and the docs build
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir=build/site

serve: .venv/.installed ## the API on http://127.0.0.1:$(PORT), with the released model where there is no other
	$(if $(BUKVA_TRACKING_URI),,$(BIN)/python -m bukva release install --if-none)
	BUKVA_PORT=$(PORT) $(BIN)/python -m bukva.serving

viz: .venv/.installed ## the pipelines as a picture in the browser
	$(BIN)/kedro viz run --env=$(ENV)

report: .venv/.installed ## one HTML page about the last run, to send (TO=build/report.html)
	$(BIN)/python -m bukva report --env=$(ENV) $(if $(TO),--to=$(TO))

dags: .venv/.installed ## the stages as DAGs of Airflow, in build/dags (TO=/opt/airflow/dags, ENV=real)
	$(BIN)/python -m bukva dags --env=$(ENV) $(if $(TO),--to=$(TO))

corpora: .venv/.installed ## fetch the public corpora (FROM=<mirror>, TO=s3://bucket/01_raw)
	$(BIN)/python -m bukva corpora fetch $(if $(FROM),--from=$(FROM)) $(if $(TO),--to=$(TO))

experiments: .venv/.installed ## the runs of a file, and a table of them (FILE=conf/experiments/..., WORKERS=2)
	$(BIN)/python -m bukva experiments run $(FILE) --workers=$(WORKERS)

rollback: .venv/.installed ## put the version before back into production (ENV=... for another registry, TASK=document)
	$(BIN)/python -m bukva model rollback --env=$(ENV) --task=$(TASK)

stack: PORT := 8080
stack: .venv/.installed ## PostgreSQL, S3, MLflow, the API and nginx on this machine, until Ctrl+C (PORT=8080)
	$(BIN)/python -m bukva stack up --port=$(PORT)

stack_down: .venv/.installed ## end the stack
	$(BIN)/python -m bukva stack down

# Containers bring their own tools: nothing is installed here for them.
STACK_TOOLS = $(if $(filter compose,$(STACK)),,.venv/.installed)

backup: $(STACK_TOOLS) ## databases and bucket into a new folder (TO=backups/monday, STACK=compose)
	$(if $(TO),,$(error TO=<new folder>))
ifeq ($(STACK),compose)
	mkdir -p $(dir $(TO)) && docker compose run --rm --user $$(id -u) --volume $(abspath $(dir $(TO))):/backups \
		operations stack backup --to=/backups/$(notdir $(TO))
else
	$(BIN)/python -m bukva stack backup --to=$(TO)
endif

restore: $(STACK_TOOLS) ## and back (FROM=backups/monday, REPLACE=yes where something is, STACK=compose)
	$(if $(FROM),,$(error FROM=<folder of a backup>))
ifeq ($(STACK),compose)
	docker compose stop api mlflow
	docker compose run --rm --user $$(id -u) --volume $(abspath $(FROM)):/backup \
		operations stack restore --from=/backup $(if $(REPLACE),--replace)
	docker compose up --detach --wait mlflow api
else
	$(BIN)/python -m bukva stack restore --from=$(FROM) $(if $(REPLACE),--replace)
endif

clean: ## remove .venv and build
	rm -rf .venv build
