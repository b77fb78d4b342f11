"""Strangers' agents: each in a process of its own, with limits, and out of reach of everything else."""
