"""Playbooks that whole runs are tried with, and what the virtual Gemini answers to them."""

from __future__ import annotations

EDIT = """
    ---
    id: edit
    version: 1.0.0
    summary: Changes a word.
    mode: agent
    pull_request: {title: Words, body: Words.}
    ---
    Change the word old to new.
    """
"""An agent changes one word."""
STAMP = """
    ---
    id: stamp
    version: 1.0.0
    summary: Put a stamp into every plugin.
    mode: script
    script: echo stamped > STAMP
    pull_request: {title: Stamp, body: A stamp.}
    ---
    """
"""A script writes one file."""
EDITS_A = """
    rules:
      - {when: {step: 0}, calls: [{edit_file: {path: a, old: old, new: new}}]}
      - {say: Done.}
    """
"""What the virtual Gemini answers to `EDIT`: it edits the file `a`."""
EDIT_EVERY_FILE = """
    ---
    id: edit
    version: 1.0.0
    summary: Changes a word in every file.
    mode: agent
    pull_request: {title: Words, body: Words.}
    ---
    Change the word old to new in every file.
    """
"""An agent changes a word wherever it stands."""
STAMP_AND_MORE = """
    ---
    id: stamp
    version: 1.0.0
    summary: Put a stamp into every plugin.
    mode: script
    script: |
        printf 'stamped\\n' > STAMP
        if test -x more.sh; then ./more.sh; fi
    pull_request: {title: Stamp, body: A stamp.}
    ---
    """
"""A script writes a file and runs what the plugin may hold."""
STAMP_WITH_TEXT = """
    ---
    id: stamp
    version: 1.0.0
    summary: Put a stamp into every plugin.
    mode: script
    script: printf '%s\\n' "$VAR_TEXT" > STAMP
    variables:
      text: {type: string, description: What the stamp says., default: stamped}
    pull_request: {title: "Stamp: {{ text }}", body: A stamp., labels: [stamp]}
    ---
    """
"""A script with a variable."""
