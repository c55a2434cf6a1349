"""Models behind the port: Gemini, scripted, replay."""
