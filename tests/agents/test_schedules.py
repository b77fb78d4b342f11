from agents.parts.schedules import linear


def test_a_linear_schedule_starts_at_its_start_and_is_halfway_at_half_its_fraction():
    assert linear(0.0, 1.0, 0.2, 0.5) == 1.0
    assert linear(0.25, 1.0, 0.2, 0.5) == 0.6  # 1 - 0.8 / 2


def test_a_linear_schedule_stays_at_its_end():
    assert linear(0.5, 1.0, 0.2, 0.5) == 0.2
    assert linear(1.0, 1.0, 0.2, 0.5) == 0.2


def test_a_linear_schedule_over_everything_ends_with_the_training():
    assert linear(0.75, 4.0, 0.0) == 1.0
    assert linear(1.0, 4.0, 0.0) == 0.0
