"""What the model can do: one small file per tool."""
