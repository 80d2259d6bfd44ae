"""Where the law leaves a choice: each field is one such choice with its default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Policy:
    """The municipality's or ministry's reading of unsettled points.

    `mayor_return_from`: the period of 5393/23 runs from the council's decision or from its record here.
    `mayor_may_waive_return`: the mayor may let a decision stand early.
    `permission_silence_days`: 2577/10. `document_request_pauses_silence`: asking for papers stops it.
    """

    mayor_return_from: Literal["decision", "record"] = "decision"
    mayor_may_waive_return: bool = False
    permission_silence_days: int = 30
    document_request_pauses_silence: bool = True
