"""Where the law leaves a choice about petitions: each field is one such choice with its default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Policy:
    """The municipality's or ministry's reading of unsettled points.

    `completion_pauses_answer`: asking for what is missing stops the period to answer. `completion_days`:
    how long the petitioner has. `fee_notice`: after payment the period of an information request begins
    anew or goes on (4982/11). `forwarded_counts_from`: the period of a forwarded petition (3071/5).
    """

    completion_pauses_answer: bool = True
    completion_days: int = 30
    fee_notice: Literal["restart", "pause"] = "restart"
    forwarded_counts_from: Literal["filing", "receipt"] = "filing"
