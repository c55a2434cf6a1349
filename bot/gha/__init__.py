"""GitHub Actions as we meet it: inputs, the event, who caused it, what the runner reads. Drives nothing itself."""
