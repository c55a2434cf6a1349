"""Everything with write power: the gate and the publisher. Never imports the agent or a model."""
