"""A deep belief network: restricted Boltzmann machines, each on the codes of the one below, then all as a classifier.

Sources: Hinton, Osindero & Teh (2006), "A fast learning algorithm for deep belief nets"; Hinton & Salakhutdinov (2006),
"Reducing the dimensionality of data with neural networks", for Gaussian visible units and fine-tuning. Sizes and the
use, emotions from faces, are the cookbook's.

Deliberate deviations: fine-tuning is discriminative (back-propagation), with dropout (Srivastava et al. 2014), mirrored
and shifted images, and layers that are normalised meanwhile and begin as the machines; the layer between the last
machine and the classes has no machine of its own, as in the cookbook.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pydantic

from arena import seeding
from arena.components import augmentation, contrastive, descent, neural, normalisation, verdicts
from arena.components.activations import sigmoid, softmax
from arena.components.base import SILENT, Watch
from arena.components.neural import NeuralComponent
from arena.components.readers import EMOTIONS
from arena.errors import DoesNotFit

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

_EVEN = 4e-4  # variance below which an image's contrast is no longer stretched to 1: a standard deviation of 5 levels
_BATCH, _MOMENTUM, _DECAY = 200, 0.9, 1e-4  # of the machines
_NUM_JUDGED, _NUM_SHOWN = 4_000, 12
_NUM_FIRST = 4_000  # examples over which normalised layers start as the machines


class DBNSettings(descent.DescentSettings):
    """Settings of a deep belief network.

    Attributes:
      hidden: hidden units of the machines, from the images upwards.
      num_top: units between the last machine and the classes.
      num_classes: labels are 0 to num_classes - 1.
      standardise: images are brought to mean 0 and variance 1, then each pixel is; the first machine's visible units
        are Gaussian. Without, pixels from 0 to 1 are taken as probabilities.
      pretraining_epochs: of each machine; with 0 all layers start from random weights.
      gaussian_rate: learning rate of a machine with Gaussian visible units.
      binary_rate: of the others.
      epochs: of fine-tuning.
      batch_size: examples to a step of fine-tuning.
      learning_rate: of fine-tuning by Adam; it falls to zero along half a cosine.
      dropout: share of the units that are left out at random in fine-tuning.
      mirror: images are mirrored left to right in fine-tuning, each time by chance.
      shift: pixels by which they are shifted at most, up or down and left or right.
    """

    hidden: tuple[pydantic.PositiveInt, ...] = pydantic.Field((1500, 700, 400), min_length=1, max_length=8)
    num_top: pydantic.PositiveInt = 1000
    num_classes: int = pydantic.Field(7, ge=2)
    standardise: bool = True
    pretraining_epochs: pydantic.NonNegativeInt = 4
    gaussian_rate: pydantic.PositiveFloat = 0.005
    binary_rate: pydantic.PositiveFloat = 0.05
    epochs: pydantic.PositiveInt = 20
    batch_size: pydantic.PositiveInt = 100
    learning_rate: pydantic.PositiveFloat = 1e-3
    dropout: float = pydantic.Field(0.1, ge=0, lt=1)
    mirror: bool = True
    shift: pydantic.NonNegativeInt = 1


class DBN(NeuralComponent):
    """A deep belief network over numbers from 0 to 1, fine-tuned to tell classes.

    A code is the activations of the last machine's hidden units.

    Attributes:
      fine_tuning_: accuracy on the validation examples after each epoch of fine-tuning; not saved.
    """

    name = "dbn"
    Settings = DBNSettings
    datasets = ("fer2013", "mnist")
    num_projected = 2_000

    fine_tuning_: list[float]

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns the machines from the data alone, then all layers from data and labels.

        Raises DoesNotFit where labels are missing or not 0 to num_classes - 1, or what is to be moved is no image.
        """
        rows = self.fit_rows(data)
        targets = self._targets(labels, len(rows))
        if (self.settings.mirror or self.settings.shift) and len(self.shape_) != 2:
            raise DoesNotFit(f"only images [H, W] can be moved, not {list(self.shape_)}: set mirror=false, shift=0")
        self._fine_tune(self.begun(rows, watch), rows, targets, validation, watch)
        return self

    def begun(self, rows: np.ndarray, watch: Watch) -> Any:
        """Returns the Keras model that is fine-tuned, its layers being the machines that [N, D] rows have taught."""
        model = self.learner()
        if self.settings.pretraining_epochs:
            x = rows[:_NUM_FIRST]
            x = standardised(x) if self.settings.standardise else x
            for name, (kernel, bias) in self._pretrain(rows, watch).items():
                x = sigmoid(normalisation.begin(model, name, kernel, bias, x))
        return model

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, K] float32: the activations of the last machine's hidden units."""
        x = self.rows(data)
        x = standardised(x) if self.settings.standardise else x
        for number in range(1, len(self.settings.hidden) + 1):
            x = sigmoid(self._dense(f"hidden_{number}", x))
        return x

    def predict_proba(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, C] float32: the probabilities of the classes."""
        return softmax(self._dense("classes", sigmoid(self._dense("top", self.transform(data)))))

    def predict(self, data: np.ndarray) -> np.ndarray:
        """Returns [N] int64: the likeliest class of each example."""
        classes: np.ndarray = self.predict_proba(data).argmax(axis=1)
        return classes

    def outputs(self, data: np.ndarray) -> np.ndarray:
        """Returns what `arena component run` writes: the probabilities of the classes."""
        return self.predict_proba(data)

    def score(self, data: np.ndarray, labels: np.ndarray | None = None) -> float:
        """Returns the accuracy. Raises DoesNotFit without labels."""
        return float(np.mean(self.predict(data) == self._targets(labels, len(data))))

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns accuracy and cross_entropy (nats) on the test part; accuracy_public on a part "public"."""
        probabilities = self.predict_proba(dataset.test.inputs)
        targets = self._targets(dataset.test.labels, len(probabilities))
        right = probabilities[np.arange(len(targets)), targets]
        metrics = {
            "accuracy": float(np.mean(probabilities.argmax(axis=1) == targets)),
            "cross_entropy": float(-np.log(np.maximum(right, 1e-12)).mean(dtype=np.float64)),
        }
        if "public" in dataset.splits:
            public = dataset.splits["public"]
            metrics["accuracy_public"] = self.score(public.inputs, public.labels)
        return metrics

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns the test part's confusion matrix, and some of its images with what is seen in them."""
        test, classes = dataset.test, dataset.classes or self._classes()
        targets = self._targets(test.labels, len(test))
        shown = {"confusion": verdicts.confusion(targets, self.predict(test.inputs), classes)}
        return shown | ({"predictions": self.show(test.inputs)} if len(self.shape_) == 2 else {})

    def show(self, data: np.ndarray) -> np.ndarray:
        """Returns a picture of the first images and of the probabilities of their classes."""
        rows = self.rows(data[:_NUM_SHOWN])
        return verdicts.pictures_of(rows, self.shape_, self.predict_proba(rows), self._classes())

    def build(self) -> Any:
        """Returns the Keras model, "inputs" [N, D] from 0 to 1 to "codes" [N, K] and "logits" [N, C]."""
        return self._network(is_learner=False)

    def learner(self) -> Any:
        """Returns the same with each layer normalised, and units left out at random."""
        return self._network(is_learner=True)

    def _network(self, is_learner: bool) -> Any:
        neural.tensorflow()
        import keras

        def dense(x: Any, name: str, units: int, has_bias: bool = not is_learner) -> Any:
            start = keras.initializers.GlorotUniform(seeding.derived_seed(self.settings.seed, f"dbn {name}"))
            return keras.layers.Dense(units, use_bias=has_bias, kernel_initializer=start, name=name)(x)

        def logistic(x: Any, name: str, units: int) -> Any:
            sums = dense(x, name, units)
            return keras.ops.sigmoid(normalisation.normalised(name, has_scale=True)(sums) if is_learner else sums)

        def dropped(x: Any, name: str) -> Any:
            seed = seeding.derived_seed(self.settings.seed, f"dbn dropout {name}")
            return keras.layers.Dropout(self.settings.dropout, seed=seed)(x) if is_learner else x

        x = inputs = keras.Input((int(np.prod(self.shape_)),), name="inputs")
        if self.settings.standardise:
            x = keras.layers.LayerNormalization(epsilon=_EVEN, center=False, scale=False, name="standardised")(x)
        codes = x
        for number, units in enumerate(self.settings.hidden, 1):
            codes = logistic(x, f"hidden_{number}", units)
            x = dropped(codes, f"hidden_{number}")
        x = dropped(logistic(x, "top", self.settings.num_top), "top")
        logits = dense(x, "classes", self.settings.num_classes, has_bias=True)
        return keras.Model(inputs, {"codes": codes, "logits": logits})

    def _pretrain(self, rows: np.ndarray, watch: Watch) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Returns kernel and bias of each hidden layer, as the machines learned them from [N, D] rows."""
        settings = self.settings
        mean, scale = np.float32(0), np.float32(1)
        if settings.standardise:
            rows = standardised(rows)
            mean, scale = rows.mean(axis=0), rows.std(axis=0) + np.float32(_EVEN)
            rows = (rows - mean) / scale
        learned = {}
        for number, units in enumerate(settings.hidden, 1):
            machine = self._machine(number, units, rows, watch)
            rows = machine.hidden(rows)
            learned[f"hidden_{number}"] = machine.kernel, machine.hidden_bias
        kernel, bias = learned["hidden_1"]
        kernel = kernel / np.reshape(scale, (-1, 1))  # takes the pixels as they were before each had variance 1
        learned["hidden_1"] = kernel, bias - (mean * np.ones(len(kernel), np.float32)) @ kernel
        return learned

    def _machine(self, number: int, units: int, rows: np.ndarray, watch: Watch) -> contrastive.Machine:
        settings = self.settings
        gaussian = settings.standardise and number == 1

        def tell(epoch: int, machine: contrastive.Machine, error: float) -> None:
            done = (number - 1) * settings.pretraining_epochs + epoch
            watch.step(done, self._num_epochs(), **{f"error_of_machine_{number}": error})

        plan = contrastive.Plan(
            num_hidden=units,
            epochs=settings.pretraining_epochs,
            batch_size=_BATCH,
            learning_rate=settings.gaussian_rate if gaussian else settings.binary_rate,
            momentum=_MOMENTUM,
            weight_decay=_DECAY,
            gaussian=gaussian,
        )
        return contrastive.train(rows, plan, seeding.generator(settings.seed, f"dbn hidden_{number}"), tell)

    def _fine_tune(
        self, model: Any, rows: np.ndarray, targets: np.ndarray, validation: Split | None, watch: Watch
    ) -> None:
        """Trains all layers to tell the classes."""
        tf, settings, num_epochs = neural.tensorflow(), self.settings, self._num_epochs()

        def moved(seed: Any, images: Any, wanted: Any) -> tuple[Any, Any]:
            if settings.mirror or settings.shift:
                images = augmentation.moved(images, seed, self.shape_, settings.shift, settings.mirror)
            return images, wanted

        def objective(images: Any, wanted: Any) -> Mapping[str, Any]:
            logits = model(images, training=True)["logits"]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
            is_right = tf.argmax(logits, axis=1, output_type=tf.int32) == wanted
            return {"loss": tf.reduce_mean(losses), "accuracy": tf.reduce_mean(tf.cast(is_right, tf.float32))}

        examples = [rows, targets.astype(np.int32)]
        variables = model.trainable_variables
        epochs = descent.epochs(objective, variables, examples, settings, "fine-tuning", moved, is_fused=False)
        self.fine_tuning_ = []
        for epoch, values in enumerate(epochs, 1):
            self.take(model)
            if validation is not None and validation.labels is not None:
                few = slice(_NUM_JUDGED)
                self.fine_tuning_.append(self.score(validation.inputs[few], validation.labels[few]))
                values["validation_accuracy"] = self.fine_tuning_[-1]
            watch.step(num_epochs - settings.epochs + epoch, num_epochs, **values)

    def _num_epochs(self) -> int:
        return int(self.settings.pretraining_epochs * len(self.settings.hidden) + self.settings.epochs)

    def _dense(self, name: str, x: np.ndarray) -> np.ndarray:
        self.check_fitted()
        outputs: np.ndarray = x @ self.weights_[f"{name}/kernel"] + self.weights_[f"{name}/bias"]
        return outputs

    def _classes(self) -> tuple[str, ...]:
        num = self.settings.num_classes
        return EMOTIONS if num == len(EMOTIONS) else tuple(map(str, range(num)))

    def _targets(self, labels: np.ndarray | None, num: int) -> np.ndarray:
        return verdicts.checked_labels(labels, num, self.settings.num_classes)


def standardised(rows: np.ndarray) -> np.ndarray:
    """Returns [N, D] examples, each brought to mean 0 and variance 1 (a little less where it is almost even)."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    scaled: np.ndarray = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(_EVEN))
    return scaled
