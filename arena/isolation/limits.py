"""What an isolated agent may use."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """The limits of an agent that runs in a process of its own.

    Attributes:
      start_s: seconds to import and construct it.
      move_s: seconds for one move.
      memory_mb: resident memory of it and all that it starts, in MiB.
      log_kb: how much of what it prints is kept, in KiB.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start_s: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    move_s: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    memory_mb: int = Field(default=2048, gt=0)
    log_kb: int = Field(default=256, gt=0)
