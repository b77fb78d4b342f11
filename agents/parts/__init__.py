"""What several agents share: networks, replay, returns, schedules."""
