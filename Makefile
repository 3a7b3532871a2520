# make demo   a whole copy and paste on this machine, on a screen that is not there
# make run    server and agent for your own desktop; shows a QR code for the phone
# make phone  the phone app on a laptop with a webcam
# make test   all checks and tests
# make test-editors   pasting into every editor that is known here, for real; needs 2 GB of disk
#
# Each sets up all it needs, once. ARGS="..." passes options on to run and phone; ARGS=--help lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A CPU needs no newer one; only the tests of the model use it.
TORCH := torch==2.13.0

.PHONY: demo run phone test test-editors clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo
	@$(BIN)/python -m demo

run: $(VENV)/.run
	@$(BIN)/python -m desktop_agent --host 0.0.0.0 $(ARGS)

phone: $(VENV)/.phone
	@$(BIN)/python -m mobile_client $(ARGS)

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

test-editors: $(VENV)/.test-editors
	$(BIN)/python -m pytest tests/editors --all-editors

clean:
	rm -rf $(VENV)

# What may be missing of the operating system: Debian packages, in words where they cannot be installed.
SCREEN_PACKAGES := xvfb openbox inkscape python3-tk fonts-dejavu-core libgl1 libegl1 libgles2 libgl1-mesa-dri
# Real editors to paste into: two that are quick to install and to open for every test, all of them for test-editors.
DESK_PACKAGES := $(SCREEN_PACKAGES) dbus-daemon xclip kolourpaint
EDITOR_PACKAGES := krita gimp libreoffice-draw libreoffice-impress libreoffice-gtk3 python3-uno chromium mousepad mtpaint

$(VENV)/bin/python:
	@./debian_packages.sh --python "$(PYTHON)"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "Setting up the demo, once: Debian packages if they are missing, then Python packages. This takes minutes."
	@./debian_packages.sh $(SCREEN_PACKAGES)
	$(BIN)/pip install --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	@./debian_packages.sh --wanted python3-tk
	$(BIN)/pip install --disable-pip-version-check -e '.[server,agent]'
	@touch $@

$(VENV)/.phone: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --disable-pip-version-check -e '.[phone,webcam]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	@./debian_packages.sh $(DESK_PACKAGES)
	$(BIN)/pip install --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

$(VENV)/.test-editors: $(VENV)/.test
	@./debian_packages.sh $(EDITOR_PACKAGES)
	@touch $@
