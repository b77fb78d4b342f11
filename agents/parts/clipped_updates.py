"""The updates of proximal policy optimisation: its losses, and all minibatches of a rollout as one compiled loop.

Source: Schulman et al. (2017), "Proximal policy optimization algorithms".
"""

from __future__ import annotations

from typing import Any

from agents.parts.actor import Actor
from agents.parts.optimizers import clip_by_global_norm
from agents.parts.tensorflow import load

METRICS = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")
OF_TEACHER = "teacher_cross_entropy"


def clipped_policy_loss(log_prob: Any, old_log_prob: Any, advantage: Any, clip: Any) -> Any:
    """Returns the mean over [B] of -min(r A, clip(r, 1 - clip, 1 + clip) A), r = exp(log_prob - old_log_prob).

    Source: Schulman et al. (2017), equation 7.
    """
    tf = load()
    ratio = tf.exp(log_prob - old_log_prob)
    return -tf.reduce_mean(tf.minimum(ratio * advantage, tf.clip_by_value(ratio, 1.0 - clip, 1.0 + clip) * advantage))


def value_loss(value: Any, old_value: Any, target: Any, clip: float | None) -> Any:
    """Returns the mean squared error over [B]; with `clip` the larger of it and that of the clipped value."""
    tf = load()
    error = tf.square(value - target)
    if clip is not None:
        clipped = old_value + tf.clip_by_value(value - old_value, -clip, clip)
        error = tf.maximum(error, tf.square(clipped - target))
    return tf.reduce_mean(error)


def compiled_updates(
    actor: Actor,
    optimizer: Any,
    *,
    value_clip: float | None,
    value_coefficient: float,
    max_gradient_norm: float,
    target_kl: float | None,
) -> Any:
    """Returns a compiled function that makes all of a rollout's updates; see below for what it takes.

    It returns the [5] means of METRICS, and the network's weights after the updates, in order.

    It takes the rollout's arrays obs, sample and numbers, [S, ...] of all steps, numbers being [S, 4]: log_prob, value,
    advantage and target; indices [U, B] of the steps in each minibatch; and [4] float32: clip range, coefficients of
    entropy and teacher, and learning rate. With memory the arrays are [T, N, ...], the indices are of rows, and two
    more arrays follow: begins [T, N], the steps that are the first of their episodes, and memory [N, S], the state
    before the first step, from which the states of all others are computed anew in every minibatch.

    With a teacher, numbers are [S, 4 + A]: its probabilities of the A actions follow. Then the loss has the
    cross-entropy from them to the policy's too (see agents.parts.teacher), and the means are [6], OF_TEACHER the last.

    Few arguments: each costs as much as a small layer.
    """
    tf = load()
    variables, distribution, network = actor.trainable_variables, actor.distribution, actor.network
    kl_limit = float("inf") if target_kl is None else 1.5 * target_kl

    def outputs_of(obs: Any, *memory: Any) -> Any:
        """Returns the heads of a minibatch, [B, units] of all its steps."""
        if not network.memory:
            return network(obs)
        begins, state = memory
        heads, _ = network.unroll(obs, state, begins)
        return {name: tf.reshape(head, [-1, head.shape[-1]]) for name, head in heads.items()}

    def gathered(rollout: list[Any], index: Any) -> list[Any]:
        """Returns a minibatch: of chosen steps, or of the sequences of chosen rows."""
        if not network.memory:
            return [tf.gather(array, index) for array in rollout]
        *steps, state = rollout
        obs, *others, begins = [tf.gather(array, index, axis=1) for array in steps]
        flat = [tf.reshape(array, [-1, *array.shape[2:]]) for array in others]
        return [obs, *flat, begins, tf.gather(state, index)]

    def minibatch(batch: list[Any], clip: Any, entropy_coefficient: Any, teacher_coefficient: Any) -> Any:
        obs, sample, numbers, *memory = batch
        old_log_prob, old_value, advantage, target = tf.unstack(numbers[:, :4], axis=-1)
        advantage = (advantage - tf.reduce_mean(advantage)) / (tf.math.reduce_std(advantage) + 1e-8)
        with tf.GradientTape() as tape:
            outputs = outputs_of(obs, *memory)
            log_prob = distribution.log_prob(outputs, sample)
            entropy = tf.reduce_mean(distribution.entropy(outputs))
            of_policy = clipped_policy_loss(log_prob, old_log_prob, advantage, clip)
            of_value = value_loss(outputs["value"][:, 0], old_value, target, value_clip)
            loss = of_policy + value_coefficient * of_value - entropy_coefficient * entropy
            of_teacher = []
            if numbers.shape[-1] > 4:
                of_teacher = [tf.reduce_mean(distribution.cross_entropy(outputs, numbers[:, 4:]))]
                loss += teacher_coefficient * of_teacher[0]
        gradients = clip_by_global_norm(tape.gradient(loss, variables), max_gradient_norm)
        optimizer.apply(gradients, variables)
        log_ratio = log_prob - old_log_prob
        kl = tf.reduce_mean(tf.exp(log_ratio) - 1.0 - log_ratio)  # Schulman (2020), "Approximating KL divergence"
        is_clipped = tf.cast(tf.abs(tf.exp(log_ratio) - 1.0) > clip, tf.float32)
        return tf.stack([of_policy, of_value, entropy, kl, tf.reduce_mean(is_clipped), *of_teacher])

    def update(rollout: list[Any], indices: Any, rates: Any) -> Any:
        clip, entropy_coefficient, teacher_coefficient, learning_rate = tf.unstack(rates)
        optimizer.learning_rate.assign(learning_rate)

        def step(i: Any, totals: Any, kl: Any) -> Any:
            metrics = minibatch(gathered(rollout, indices[i]), clip, entropy_coefficient, teacher_coefficient)
            return i + 1, totals + metrics, metrics[3]

        def goes_on(i: Any, totals: Any, kl: Any) -> Any:
            return (i < len(indices)) & (kl <= kl_limit)

        num_metrics = len(METRICS) + (rollout[2].shape[-1] > 4)
        count, totals, _ = tf.while_loop(goes_on, step, (tf.constant(0), tf.zeros(num_metrics), tf.constant(0.0)))
        return totals / tf.cast(count, tf.float32), [tf.convert_to_tensor(weight) for weight in network.model.weights]

    return tf.function(update, jit_compile=network.kind == "mlp")
