#!/bin/sh
# All suites, each in its own folder.
for package in packages/*/; do (cd "$package" && python -m pytest -q) || exit 1; done
