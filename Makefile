# Every target installs what it needs, uv included, into this folder.
.DEFAULT_GOAL := help
SHELL := /bin/bash
UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := $(UV) run --frozen

.PHONY: help setup demo demo-stop inspect panel serve dashboard export audit load-statement notify backup test test-project test-packages test-long test-bi test-spark setup-spark spark-load spark-publish bench lint docs clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(UV):
	@python3 -m venv .tools || { echo "paygen needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv)"; exit 1; }
	@.tools/bin/pip install --quiet uv==$(UV_VERSION)

setup: $(UV) ## install into this folder, nothing else
	@$(UV) sync --frozen --quiet --compile-bytecode

demo: setup ## PostgreSQL, an app's data, the marts, the numbers (FROM_CSV=folder, GENERATIONS=, MONTHS=)
	@$(RUN) python -m demo run $(if $(FROM_CSV),--from-csv "$(FROM_CSV)") \
		$(if $(GENERATIONS),--generations $(GENERATIONS)) $(if $(MONTHS),--months $(MONTHS))

demo-stop: setup ## stop the demo's server, keep its data
	@$(RUN) python -m demo stop

serve: setup ## run what schedule.yml says when it is due, until ctrl-c (SCHEDULE=file, PORT=)
	@$(RUN) --group scheduler python -m scheduler $(if $(SCHEDULE),--schedule "$(SCHEDULE)") \
		$(if $(PORT),--port $(PORT))

dashboard: setup ## the marts as a page on this machine: the demo's, or by your PG variables (STATIC=folder, PORT=)
	@$(RUN) --group dashboard python -m dashboard $(if $(STATIC),--static "$(STATIC)") $(if $(PORT),--port $(PORT))

inspect: setup ## look at your own app's database and write the mapping of its tables (FORCE=1, YES=1, CHECK=1)
	@$(RUN) python -m inspect_app $(if $(FORCE),--force) $(if $(YES),--yes) $(if $(CHECK),--check) \
		$(if $(LEDGER),--ledger "$(LEDGER)") $(if $(TASKS),--tasks "$(TASKS)") \
		$(if $(BALANCES),--balances "$(BALANCES)")

panel: setup ## the figures of your own database in the terminal; builds them first if need be (BUILD=1)
	@$(RUN) python -m inspect_app.panel $(if $(BUILD),--build)

export: setup ## a month of the marts as CSV, Parquet, workbook and FOCUS file (MONTH=YYYY-MM, TO=folder)
	@$(RUN) --group export python -m export $(if $(MONTH),"$(MONTH)") $(if $(TO),--to "$(TO)")

load-statement: setup ## load the vendor's statement, CSV files, each once (FROM=folder, TOTAL=, FORGET=file)
	@$(RUN) python -m statement $(if $(FROM),"$(FROM)") $(if $(TOTAL),--total "$(TOTAL)") \
		$(if $(FORGET),--forget "$(FORGET)")

audit: setup ## a month's audit pack, a workbook from totals to rows (MONTH=YYYY-MM, TO=file)
	@$(RUN) --group export python -m export.audit $(if $(MONTH),"$(MONTH)") $(if $(TO),--to "$(TO)")

notify: setup ## tell channels of open alerts, each once (CHANNELS=file, PING=url, DRY_RUN=1)
	@$(RUN) --group notify python -m notify $(if $(CHANNELS),--channels "$(CHANNELS)") \
		$(if $(PING),--ping "$(PING)") $(if $(DRY_RUN),--dry-run) || [ $$? = 3 ]

backup: setup ## dump what the clean-up touches, read it back, record it (FILE=pool.dump)
	@$(RUN) python -m backup $(or $(FILE),cleanup-$$(date -u +%Y%m%dT%H%M%SZ).dump)

lint: setup ## check style, YAML keys, descriptions and conventions
	@$(RUN) python -m lint

test: setup ## run all tests on real PostgreSQL servers
	@$(MAKE) --no-print-directory --jobs 2 test-project test-packages

# Three workers, for many tests wait: for a lock, a server, a timeout.
test-project:
	@$(RUN) pytest tests --numprocesses 3 --dist loadscope --no-loadscope-reorder

# Each in a process of its own, for their plugins do not stand one another. Shown when they are done.
test-packages:
	@mkdir -p target; log=target/test-packages.log; \
	{ $(RUN) pytest dbt_pg_python_models/tests --numprocesses 1 \
		&& $(RUN) pytest dbt_postgres_session/tests --numprocesses 1; } > $$log 2>&1; \
	status=$$?; cat $$log; exit $$status

test-long: setup ## the tests that take minutes: more seeds, histories and servers
	@$(RUN) pytest -m long -s

test-bi: setup ## every mart read by a Superset, which it installs into .tools/superset
	@$(RUN) pytest tests/bi -m bi -s

setup-spark: setup ## what the target `spark` needs besides: dbt-spark and Apache Spark; asks for Java
	@$(UV) sync --frozen --inexact --quiet --compile-bytecode --group spark
	@$(RUN) --group spark python -m local_spark --check

test-spark: setup-spark ## the models on a cluster of processes of Apache Spark, against PostgreSQL
	@$(RUN) --group spark pytest tests/spark -m spark -s

spark-load: $(UV) ## the app's tables as Parquet by month, which Spark reads; then what changed (TO=folder)
	@$(RUN) --group spark python -m spark_io load $(if $(TO),--to "$(TO)") \
		$(if $(TARGET),--target "$(TARGET)")

spark-publish: $(UV) ## Spark's marts back into PostgreSQL, in one transaction (VIA=folder, TARGET=)
	@$(RUN) --group spark python -m spark_io publish $(if $(VIA),--via "$(VIA)") \
		$(if $(TARGET),--target "$(TARGET)")

bench: setup ## measure runs against their rivals (SCALE=generations, 1000000)
	@$(RUN) --group bench python -m bench $(if $(SCALE),--scale $(SCALE))

docs: setup ## write the models' documentation into one HTML page (after make demo, or with your PG variables)
	@$(RUN) dbt docs generate --static --quiet
	@echo "open target/static_index.html"

clean: ## stop the demo's server, remove its data and what dbt wrote
	@if [ -d .demo ]; then $(MAKE) --no-print-directory demo-stop; fi
	@rm -rf .demo target logs
