"""Statistics of scores and games: pure NumPy and SciPy functions, every figure with its interval."""
