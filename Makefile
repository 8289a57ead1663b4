# Peripety: what a person types. Each line of work is in scripts/, where it says
# what it does. `make` alone shows the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
export DESTDIR prefix bindir sbindir libdir datadir sysconfdir PROGRAMS SCENARIO ROUND RECORD KEEP MINUTES SEED SABOTAGE
.PHONY: help deps build run demo check test lint fmt doc docs deny bench coverage check-more torture lab lab-shell install uninstall clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)$$/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do printf '%-16s %s\n' "$$target" "$$text"; done

deps: ## Install what is missing to build, run and check Peripety (as root), or say what to install
	@scripts/deps.sh check

build: ## Build the release programs: target/release/peripetyd and target/release/prpt
	@scripts/deps.sh build
	@scripts/cargo.sh build --release --workspace

run: ## Build, then run the daemon in the foreground on this machine's journal, or on a recorded incident
	@scripts/run.sh

demo: ## Show the whole round on a recorded incident: daemon, prpt, Python; ends by itself
	@scripts/demo.sh

check: ## Check everything: format, lints, documentation, build, all tests
	@scripts/check.sh

check-more: ## Check what takes minutes: the tests that are marked for it, a minute of torture, the fuzz targets
	@scripts/check-more.sh

torture: ## Kill, stop, fill, remove and damage under a stream of lines, and judge every line: MINUTES=10, SEED=
	@scripts/torture.sh

test: ## Run all tests
	@scripts/deps.sh check
	@scripts/cargo.sh test --workspace

lint: ## Lint the Rust code with clippy
	@scripts/deps.sh check
	@scripts/cargo.sh clippy --workspace --all-targets -- -D warnings

fmt: ## Format the Rust code
	@scripts/deps.sh check
	@scripts/cargo.sh fmt --all

doc: ## Build the documentation of the crates: target/doc
	@scripts/deps.sh build
	@scripts/cargo.sh doc --workspace --no-deps

docs: ## Bring up to date what is made of the rules: the table in docs/events.md, the journal catalog
	@scripts/deps.sh check
	@BLESS=1 scripts/cargo.sh test --quiet --test all documents::

deny: ## Check licences, bans and sources of all dependencies (deny.toml)
	@scripts/deny.sh

bench: ## Measure lines per second through the matcher and the whole pipeline, beside journalctl
	@scripts/deps.sh run
	@scripts/cargo.sh bench --quiet -p peripety --bench speed -- $(BENCH)

coverage: ## Measure how much of what real machines log is recognised; prints what is judged wrongly
	@scripts/deps.sh build
	@scripts/cargo.sh test --quiet --test all coverage:: -- --nocapture

lab: ## Run the daemon against failing storage in a virtual machine (as root, Debian): ROUND=short, SCENARIO=multipath
	@scripts/lab.sh

lab-shell: ## Open a shell in the lab's virtual machine
	@scripts/lab.sh shell

install: ## Install below DESTDIR and prefix (/usr/local); the head of scripts/install.sh explains both
	@scripts/install.sh install

uninstall: ## Remove what install put there, except the configuration
	@scripts/install.sh uninstall

clean: ## Remove what was built and fetched: target and .cache
	@rm -rf target .cache
