"""Makes the policies of the zoo from their recipes: trains, judges, shrinks, and writes policy and record.

python -m agents.zoo [--runs DIR] [--out DIR] [ENTRY ...]

ENTRY is AGENT/ENV, as ppo/CartPole-v1; all recipes without one. A run that is in DIR/ENTRY already is gone on with, or
taken as it is when it is finished (or was stopped with --as-is). The second training of a recipe with several is in
DIR/ENTRY-late, the third in DIR/ENTRY-late-2, and so on.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydantic

from arena import policy, run_folder, terminal
from arena.agent import Mode
from arena.config import RunConfig, read_toml
from arena.errors import ArenaError, UnknownName
from arena.evaluation import Evaluation, evaluate
from arena.export import export
from arena.files import write_json
from arena.loop import Event
from arena.sources import policy_of_run
from arena.statistics.bootstrap import mean_interval
from arena.training import Hooks, resume, train
from arena.validation import validated

FOLDER = Path(__file__).parent
SEED = 0  # root of the games that the policies are judged on: that of `arena eval`
CHOICE_SEED = 1  # root of the games on which the last weights of a training compete with its best


class Late(pydantic.BaseModel):
    """A further training: its preset and steps."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    preset: str
    steps: pydantic.PositiveInt


class Recipe(pydantic.BaseModel):
    """What makes a policy, besides the agent's preset for the environment.

    Attributes:
      seed: of the training.
      steps: of the training, where not the preset's.
      games: on which the policy is judged.
      choice_games: on which the best policy and the one at the training's end are compared, if given: the better is
        taken. The highest of many evaluations of few games can be luck.
      mode: how it plays, where not as in its training's evaluations: greedy, sample or epsilon=X.
      late: further trainings, each from the best policy of the one before.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    seed: int = pydantic.Field(0, ge=0)
    steps: int | None = pydantic.Field(None, ge=1)
    games: int = pydantic.Field(100, ge=1)
    choice_games: int | None = pydantic.Field(None, ge=1)
    mode: str | None = None
    late: tuple[Late, ...] = ()


def main() -> None:
    """Makes the entries that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m agents.zoo", description=__doc__.splitlines()[0])
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="AGENT/ENV; all by default")
    parser.add_argument("--runs", type=Path, default=Path("runs/zoo"), metavar="DIR", help="where the run folders are")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR", help="where the policies go")
    parser.add_argument("--as-is", action="store_true", help="take runs as far as they are, and train nothing")
    given = parser.parse_args()
    recipes = read_recipes()
    for name in given.entries:
        if name not in recipes:
            raise UnknownName("recipe", name, recipes)
    for name in given.entries or recipes:
        recipe = recipes[name]
        runs = _folders(given.runs / name, len(recipe.late))
        if not given.as_is:
            _train(name, runs[0], seed=recipe.seed, steps=recipe.steps)
            for (before, run), late in zip(itertools.pairwise(runs), recipe.late, strict=True):
                _train(name, run, seed=recipe.seed, preset=late.preset, steps=late.steps, start=str(before))
        record = make(name, recipe, runs, given.out)
        result = record["evaluation"]
        terminal.out.print(f"{name:<32} {result['mean']:>9.2f} [{result['low']:.2f}, {result['high']:.2f}]")


def read_recipes() -> dict[str, Recipe]:
    """Returns the recipes by AGENT/ENV."""
    tables = read_toml(FOLDER / "recipes.toml")
    return {name: validated(Recipe, table, f"recipe {name}") for name, table in tables.items()}


def make(name: str, recipe: Recipe, runs: Sequence[Path], out: Path) -> dict[str, Any]:
    """Writes the best policy of the last run, and its record, to `out`; each run began with the best of that before it.

    Where the recipe has choice_games, the policy at the run's end is taken instead if it plays better on them.
    Weights are in float16 where that makes no difference to the score: where the 95% interval of the paired difference
    over the games has 0 in it. Returns the record.
    """
    *before, run = runs
    env_id, path = name.partition("/")[2], out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source, choice = _choose(_candidates(run, recipe, Path(folder)), name, recipe)
        chosen = _in_float16(source, Path(folder) / "half.tflite", recipe.games) or source
        result = _play(chosen, env_id, recipe.games, SEED, f"judging {name}")
        best = policy.load(chosen)
    record = _record(name, run, best, result)
    if choice:
        record["choice"] = choice
    if before:
        record["before"] = [_training(earlier) for earlier in before]
    training = {key: record[key] for key in ("preset", "seed", "steps", "seconds", "machine")}
    written = policy.save(best.with_card(scores=record["evaluation"], training=training), path)
    record |= {"sha256": policy.load(written).card.sha256, "bytes": written.stat().st_size}
    write_json(written.with_suffix(".json"), record)
    return record


def _folders(first: Path, num_late: int) -> list[Path]:
    """Returns the run folders of an entry's trainings."""
    names = ["", "-late", *(f"-late-{k}" for k in range(2, num_late + 1))][: num_late + 1]
    return [first.with_name(first.name + name) for name in names]


def _train(name: str, run: Path, **choices: Any) -> None:
    """Trains a run of an entry, or what is left of it."""
    agent, _, env_id = name.partition("/")
    status = run / "status.json"
    if status.exists() and json.loads(status.read_text())["state"] == "finished":
        return
    with terminal.bar(name) as update:
        hooks = Hooks(on_progress=lambda p: update(p.fraction, terminal.training_text(p)))
        if (run / "config.toml").exists():
            resume(run, hooks=hooks)
        else:
            train(RunConfig.of(agent=agent, env=env_id, **choices), run_dir=run, hooks=hooks)


def _candidates(run: Path, recipe: Recipe, folder: Path) -> list[Path]:
    """Returns the files of a run's policies that may be the entry's, in the mode that the recipe gives them."""
    best = policy_of_run(run)
    last = run / f"final{best.suffix}"
    files = [best, last] if recipe.choice_games and last.is_file() and last != best else [best]
    if not recipe.mode:
        return files
    mode = Mode.parse(recipe.mode)
    return [policy.save(policy.load(file).with_mode(mode), folder / file.stem) for file in files]


def _choose(files: Sequence[Path], name: str, recipe: Recipe) -> tuple[Path, list[dict[str, Any]]]:
    """Returns the file of the policy that plays best, and what each scored; nothing is played where there is one."""
    if len(files) == 1 or not recipe.choice_games:
        return files[0], []
    env_id = name.partition("/")[2]
    means, scores = [], []
    for file in files:
        result = _play(file, env_id, recipe.choice_games, CHOICE_SEED, f"choosing {name}")
        means.append(result.mean)
        step = policy.load(file).card.step
        scores.append({"step": step, "mean": round(result.mean, 3), "episodes": result.episodes, "seed": CHOICE_SEED})
    return files[int(np.argmax(means))], scores


def _play(file: Path, env_id: str, games: int, seed: int, text: str) -> Evaluation:
    """Returns the evaluation of a policy, played under a bar."""
    with terminal.bar(text) as update:
        return evaluate(str(file), env_id, episodes=games, seed=seed, on_event=_count(update, games))


def _in_float16(source: Path, out: Path, games: int) -> Path | None:
    """Writes a policy with weights in float16; returns None where it has no network, or plays worse or better."""
    if source.suffix != ".tflite":
        return None
    compared = export(str(source), out, quantize="float16", episodes=games, seed=SEED).comparison
    assert compared is not None
    return out if compared.low <= 0.0 <= compared.high else None


def _record(name: str, run: Path, best: policy.Policy, result: Evaluation) -> dict[str, Any]:
    """Returns how a policy came about, and what it scores."""
    config = run_folder.load_config(run)
    described = read_toml(run / "config.toml")
    low, high = mean_interval(np.asarray(result.returns), SEED)
    return {
        "ref": f"zoo:{name}",
        "agent": config.agent,
        "env": config.env,
        "seed": config.seed,
        **_training(run),
        "best_step": best.card.step,
        "weights": best.card.export.get("quantize", "float32"),
        "evaluation": {
            "mean": round(result.mean, 3),
            "low": round(low, 3),
            "high": round(high, 3),
            "std": round(result.std, 3),
            "episodes": result.episodes,
            "seed": SEED,
            "mode": str(best.mode),
        },
        "protocol": result.protocol,
        "machine": described["machine"],
        "versions": described["versions"],
    }


def _training(run: Path) -> dict[str, Any]:
    """Returns what a run was trained with, and its curve."""
    config = run_folder.load_config(run)
    with (run / "evaluations.csv").open(newline="") as file:
        curve = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return {
        "preset": config.preset,
        "steps": int(curve[-1]["step"]),
        "seconds": curve[-1]["seconds"],
        "num_envs": config.num_envs,
        "settings": config.settings,
        "curve": curve,
    }


def _count(update: Callable[[float, str], None], games: int) -> Callable[[Event], None]:
    finished = 0

    def on_event(event: Event) -> None:
        nonlocal finished
        finished += len(event.finished)
        update(finished / games, f"{finished} of {games} games")

    return on_event


if __name__ == "__main__":
    try:
        main()
    except ArenaError as error:
        sys.exit(f"arena: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
