"""Pretrained policies, AGENT/ENV.tflite or .npz, each with the record of how it came about beside it.

recipes.toml says what makes them; `make zoo` makes them all, `make zoo ENTRY=ppo/CartPole-v1` one.
"""
