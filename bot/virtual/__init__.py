"""The world as a model: virtual plugins, virtual GitHub, virtual Gemini."""
