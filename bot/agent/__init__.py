"""The agent loop: model replies, we execute its tool calls, results go back; every step into the trace."""
