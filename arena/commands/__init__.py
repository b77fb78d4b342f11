"""The commands, one module for each kind of work. Thin: they parse, call, and print."""
