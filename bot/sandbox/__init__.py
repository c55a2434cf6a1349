"""What a tool call runs in."""
