"""Reports: what a run or a tournament came to, as files that people read."""
