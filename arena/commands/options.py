"""The command line's application, and the options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

app = typer.Typer(
    help="Train, play, record and compare reinforcement-learning agents.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Env = Annotated[
    str, Option("--env", metavar="ID", help="Environment id, as CartPole-v1, ALE/Pong-v5 or module:Env-v0.")
]
Ref = Annotated[
    str,
    Argument(
        metavar="REF",
        help="A plugin's name, a run folder, FILE.py:NAME, MODULE:NAME, a policy or LiteRT file, or sb3:ppo:FILE.zip.",
    ),
]
Trust = Annotated[bool, Option("--trust", help="Load a model that can hold code, in a process of its own.")]
LiteRTFile = Annotated[Path, Argument(metavar="FILE", help="A LiteRT file, a policy of the arena or any other.")]
Json = Annotated[bool, Option("--json", help="Print one JSON object and nothing else.")]
Seed = Annotated[int, Option("--seed", metavar="S", help="Root of all randomness.")]
Mode = Annotated[
    str | None, Option("--mode", metavar="MODE", help="greedy, sample or epsilon=X; the policy's own by default.")
]
Preprocess = Annotated[
    str | None,
    Option("--preprocess", metavar="NAME", help="atari, cookbook-dqn, cookbook-pong, cookbook-grey or none."),
]
EnvSet = Annotated[
    list[str] | None,
    Option("--env-set", metavar="KEY=VALUE", help="A keyword of the environment's maker; may be repeated."),
]
