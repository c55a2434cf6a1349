"""Forges behind the port: GitHub, and a plain path."""
