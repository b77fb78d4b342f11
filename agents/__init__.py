"""The built-in agents: plugins like any other, found through the entry-point group `arena.agents`."""
