"""The execution trace: what happened, in order, so that it can be trusted, read, compared and replayed."""
