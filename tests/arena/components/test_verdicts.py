"""What a classifier says, in pictures."""

import numpy as np

from arena.components import verdicts


def test_shares_are_of_the_true_classes_examples() -> None:
    # class 0: one of two is right; class 1 has no examples; class 2: the only one is right
    shares = verdicts.confusion_shares(np.array([0, 0, 2]), np.array([0, 1, 2]), 3)
    assert shares.tolist() == [[0.5, 0.5, 0], [0, 0, 0], [0, 0, 1]]
