"""Players made of what others left behind: plain functions, LiteRT files, models of Stable-Baselines3."""
