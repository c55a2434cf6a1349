"""The fleet: manifest, playbooks, plan, run, report."""
