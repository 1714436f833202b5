# Everything Atelier does for those who install and develop it. The work is in hub/deploy/setup.
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help up down test check images bench

help:
	@echo "make up      from a bare Debian machine to a running platform"
	@echo "make down    stop it; nothing is lost"
	@echo "make test    run every test (make test KINDS='unit integration' for some)"
	@echo "make check   lint, format, types, direction of imports"
	@echo "make images  build the container images"
	@echo "make bench   measure the running platform (make up first): the figures, side by side with the peer"

up down check images:
	@$(PYTHON) -m hub.deploy.setup $@

test:
	@$(PYTHON) -m hub.deploy.setup test $(KINDS)

bench:
	@.venv/bin/atelier bench spawn
