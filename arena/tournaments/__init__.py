"""Tournaments: who meets whom, the matches and their store, and what they come to."""
