"""The demo: the whole main job on a virtual GitHub, with a virtual Gemini and the virtual fleet."""
