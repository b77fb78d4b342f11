"""Temporal-difference updates of a network of action values.

Sources: Mnih et al. (2015), "Human-level control through deep reinforcement learning"; van Hasselt et al. (2016),
"Deep reinforcement learning with double Q-learning"; with memory: Kapturowski et al. (2019), "Recurrent experience
replay in distributed reinforcement learning"; rescaled values: Pohlen et al. (2018), "Observe and look further:
achieving consistent performance on Atari".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.parts.networks import Network
from agents.parts.optimizers import clip_by_global_norm
from agents.parts.replay import Batch
from agents.parts.sequence_replay import Sequences
from agents.parts.tensorflow import load

_LINEAR = 1e-3  # the slope that rescaled values keep however large they are


def td_targets(reward: Any, discount: Any, next_q: Any, chooser_q: Any, *, rescale: bool = False) -> Any:
    """Returns what the values of the actions taken should be.

    Args:
      reward: [B] float32.
      discount: [B] float32, of the next value.
      next_q: [B, A] the target network's values of the next observation.
      chooser_q: [B, A] values by which the next action is chosen: next_q for DQN, the online network's for Double DQN.
      rescale: values are rescaled, and so are the targets.

    Returns:
      [B] float32 tensor.
    """
    tf = load()
    next_value = tf.gather(next_q, tf.argmax(chooser_q, axis=1), batch_dims=1)
    return rescaled(reward + discount * unscaled(next_value)) if rescale else reward + discount * next_value


def rescaled(x: Any) -> Any:
    """Returns sign(x) (sqrt(|x| + 1) - 1) + x / 1000: values of hundreds within about 20 (Pohlen et al. 2018)."""
    tf = load()
    return tf.sign(x) * (tf.sqrt(tf.abs(x) + 1.0) - 1.0) + _LINEAR * x


def unscaled(x: Any) -> Any:
    """Returns that of which x is rescaled()."""
    tf = load()
    root = (tf.sqrt(1.0 + 4.0 * _LINEAR * (tf.abs(x) + 1.0 + _LINEAR)) - 1.0) / (2.0 * _LINEAR)
    return tf.sign(x) * (tf.square(root) - 1.0)


def td_loss(error: Any, kind: str) -> Any:
    """Returns the [B] losses of [B] errors: "huber" (half the square up to 1, then a line of slope 1) or "squared"."""
    tf = load()
    if kind == "squared":
        return tf.square(error)
    size = tf.abs(error)
    return tf.where(size <= 1.0, 0.5 * tf.square(size), size - 0.5)


def compiled_copy(source: Network, target: Network) -> Callable[[], None]:
    """Returns a function that gives `target` the weights of `source`; what acts is not refreshed."""
    pairs = list(zip(target.model.weights, source.model.weights, strict=True))

    def copy() -> None:
        for mine, theirs in pairs:
            mine.assign(theirs)

    return load().function(copy)  # type: ignore[no-any-return]


def compiled_updates(
    network: Network,
    target: Network,
    optimizer: Any,
    *,
    double: bool,
    rescale: bool,
    loss: str,
    max_gradient_norm: float,
    xla: bool,
) -> Callable[..., Any]:
    """Returns a function of the arrays of a Batch [U, B, ...] that makes U updates.

    It returns the mean loss and the mean value of the actions taken. One call serves all updates; the target network
    is evaluated once for all of them, as it does not change between them.

    Args:
      network: learns.
      target: values the next observations.
      optimizer: a Keras optimizer, built for the network's trainable variables.
      double: choose the next action with `network` (van Hasselt et al. 2016).
      rescale: the networks give rescaled() values.
      loss: "huber" or "squared".
      max_gradient_norm: longer gradients are scaled down to it; 0 leaves them.
      xla: compile with XLA: less work for several updates of an mlp; a CNN is faster in the plain graph, with oneDNN.
    """
    tf = load()
    variables = network.trainable_variables

    def update(batch: Batch, next_q: Any) -> tuple[Any, Any]:
        chooser_q = network(batch.next_obs)["q"] if double else next_q
        wanted = td_targets(batch.reward, batch.discount, next_q, chooser_q, rescale=rescale)
        with tf.GradientTape() as tape:
            q = tf.gather(network(batch.obs)["q"], batch.action, batch_dims=1)
            mean_loss = tf.reduce_mean(td_loss(wanted - q, loss))
        _descend(tape, mean_loss, variables, optimizer, max_gradient_norm)
        return mean_loss, tf.reduce_mean(q)

    def updates(*arrays: Any) -> tuple[Any, Any]:
        batches = Batch(*arrays)
        num_updates, batch_size = batches.action.shape
        following = tf.reshape(batches.next_obs, [num_updates * batch_size, *batches.next_obs.shape[2:]])
        next_q = tf.reshape(target(following)["q"], [num_updates, batch_size, -1])
        return _in_turn(lambda i: update(Batch(*(array[i] for array in batches)), next_q[i]), num_updates)

    return tf.function(updates, jit_compile=xla, autograph=False)  # type: ignore[no-any-return]


def compiled_sequence_updates(
    network: Network,
    target: Network,
    optimizer: Any,
    *,
    burn_in: int,
    double: bool,
    rescale: bool,
    loss: str,
    max_gradient_norm: float,
    xla: bool,
) -> Callable[..., tuple[Any, Any]]:
    """Returns what compiled_updates does, for networks with memory and Sequences of [T, U, B] steps.

    Each network brings its own memory up to date over the first `burn_in` steps, without a gradient; what is learned
    are the values of the steps after. The value of a step's next_obs is the one that the memory after that very step
    gives it, so that an episode that is cut off amid a sequence leans on its true successor, too.
    """
    tf = load()
    variables = network.trainable_variables

    def warm(net: Network, sequences: Sequences) -> Sequences:
        """Returns the steps after the burn-in, and the memory before them; arrays are [T, M, ...]."""
        if not burn_in:
            return sequences
        _, states = net.unroll(sequences.obs[:burn_in], sequences.memory, sequences.begins[:burn_in])
        steps = each(sequences, lambda array: array[burn_in:], tf.stop_gradient(states[-1]))
        return steps._replace(leans_on=steps.leans_on - burn_in)

    def each(sequences: Sequences, change: Callable[[Any], Any], memory: Any) -> Sequences:
        return Sequences._make([*map(change, sequences[:-1]), memory])

    def values_after(net: Network, states: Any, steps: Sequences) -> Any:
        """Returns [T M, A] values of the observations that the steps' targets lean on; states are [T, M, S]."""
        length, width = steps.action.shape
        following = tf.reshape(steps.next_obs, [1, length * width, *steps.next_obs.shape[2:]])
        goes_on = tf.zeros([1, length * width], tf.bool)
        heads, _ = net.unroll(following, tf.reshape(states, [length * width, -1]), goes_on)
        return tf.gather(heads["q"][0], tf.reshape(steps.leans_on * width + tf.range(width), [-1]))

    def update(sequences: Sequences, next_q: Any) -> tuple[Any, Any]:
        steps = warm(network, sequences)
        reward, discount, action = (tf.reshape(x, [-1]) for x in (steps.reward, steps.discount, steps.action))
        with tf.GradientTape() as tape:
            heads, states = network.unroll(steps.obs, steps.memory, steps.begins)
            q = tf.gather(tf.reshape(heads["q"], [action.shape[0], -1]), action, batch_dims=1)
            with tape.stop_recording():
                chooser_q = values_after(network, states, steps) if double else next_q
                wanted = td_targets(reward, discount, next_q, chooser_q, rescale=rescale)
            mean_loss = tf.reduce_mean(td_loss(wanted - q, loss))
        _descend(tape, mean_loss, variables, optimizer, max_gradient_norm)
        return mean_loss, tf.reduce_mean(q)

    def updates(*arrays: Any) -> tuple[Any, Any]:
        batches = Sequences(*arrays)
        length, num_updates, batch_size = batches.action.shape
        shape = [length, num_updates * batch_size]
        memory = tf.reshape(batches.memory, [shape[1], -1])
        steps = warm(target, each(batches, lambda array: tf.reshape(array, [*shape, *array.shape[3:]]), memory))
        _, states = target.unroll(steps.obs, steps.memory, steps.begins)
        next_q = tf.reshape(values_after(target, states, steps), [length - burn_in, num_updates, batch_size, -1])

        def one(i: Any) -> tuple[Any, Any]:
            batch = each(batches, lambda array: array[:, i], batches.memory[i])
            return update(batch, tf.reshape(next_q[:, i], [(length - burn_in) * batch_size, -1]))

        return _in_turn(one, num_updates)

    return tf.function(updates, jit_compile=xla, autograph=False)  # type: ignore[no-any-return]


def _descend(tape: Any, loss: Any, variables: list[Any], optimizer: Any, max_gradient_norm: float) -> None:
    gradients = tape.gradient(loss, variables)
    if max_gradient_norm:
        gradients = clip_by_global_norm(gradients, max_gradient_norm)
    optimizer.apply(gradients, variables)


def _in_turn(update: Callable[[Any], tuple[Any, Any]], num_updates: int) -> tuple[Any, Any]:
    """Makes updates 0, 1, ... one after the other; returns the means of their losses and of their values."""
    tf = load()

    def body(i: Any, sum_loss: Any, sum_q: Any) -> tuple[Any, Any, Any]:
        one_loss, one_q = update(i)
        return i + 1, sum_loss + one_loss, sum_q + one_q

    start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
    _, sum_loss, sum_q = tf.while_loop(lambda i, *_: i < num_updates, body, start, parallel_iterations=1)
    return sum_loss / num_updates, sum_q / num_updates
