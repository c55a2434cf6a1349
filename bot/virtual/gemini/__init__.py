"""The virtual Gemini: a loopback server with the real wire format, whose answers are scripts."""
