"""What repository code and a model's commands run in: `launcher` opens it, `docs/sandbox.md` says what it holds."""
