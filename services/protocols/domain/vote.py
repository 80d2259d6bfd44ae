"""Votes of a municipal council: 5393 art. 22 and 23 as arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.kernel.text import Sentence

Mode = Literal["open", "roll_call", "secret"]
Side = Literal["accept", "reject", "abstain"]


def majority(number: int) -> int:
    """More than half of `number`: ⌊n/2⌋ + 1 (5393/22)."""
    return number // 2 + 1


def quarter(number: int) -> int:
    """The least whole number that is not below a quarter of `number`."""
    return -(-number // 4)


@dataclass(frozen=True)
class Votes:
    """One recorded vote. `recused` members (5393/27) are not among `present`.

    `chair`: the side the chair took, needed to settle an open tie. `lot`: the outcome of the lot after a
    second secret tie. `reconvened`: the sitting was called again within 3 days for want of quorum.
    """

    mode: Mode
    present: int
    accept: int
    reject: int
    abstain: int
    full_membership: int
    recused: int = 0
    chair: Side | None = None
    lot: Literal["accept", "reject"] | None = None
    reconvened: bool = False

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], full_membership: int | None) -> Votes:
        """The votes as recorded; a full membership left out is taken from the municipality's."""
        given = plain.get("full_membership")
        return cls(**{**plain, "full_membership": given if given is not None else full_membership or 0})

    def fault(self) -> Sentence | None:
        """Why the numbers cannot be right, or None."""
        total = self.accept + self.reject + self.abstain
        if self.full_membership == 0:
            return Sentence("The council's full membership is not known. Give it with the votes.")
        if total != self.present:
            return Sentence(
                "{accept} accepting, {reject} rejecting and {abstain} abstaining make {total}, but {present} were present.",
                accept=self.accept,
                reject=self.reject,
                abstain=self.abstain,
                total=total,
                present=self.present,
            )
        if self.present + self.recused > self.full_membership:
            return Sentence(
                "{present} present and {recused} recused are more than the full membership of {full}.",
                present=self.present,
                recused=self.recused,
                full=self.full_membership,
            )
        return None

    def quorum_fault(self) -> Sentence | None:
        """Why the council could not meet, or None: absolute majority of full membership, ¼ when reconvened."""
        need = quarter(self.full_membership) if self.reconvened else majority(self.full_membership)
        if self.present >= need:
            return None
        return Sentence(
            "There was no quorum: {need} of {full} members are needed, {present} were present.",
            need=need,
            full=self.full_membership,
            present=self.present,
        )

    @property
    def is_tie(self) -> bool:
        """Half for and half against; with abstentions the majority of those present is missed anyway."""
        return self.accept == self.reject and self.abstain == 0

    @property
    def is_unsettled(self) -> bool:
        """A tie of which nothing was recorded that decides it: the chair's side, or the lot of a secret vote."""
        return self.is_tie and (self.lot is None if self.mode == "secret" else self.chair is None)

    def accepting_fault(self) -> Sentence | None:
        """Why the motion was not accepted, or None.

        More than half of those present, never below a quarter of full membership; an open tie follows
        the chair, a secret tie is voted again and then drawn by lot.
        """
        floor = quarter(self.full_membership)
        if self.is_tie:
            if (said := self._tie_fault()) is not None:
                return said
        elif self.accept < majority(self.present):
            return Sentence(
                "{need} accepting votes are needed, more than half of the {present} present; {cast} were cast.",
                need=majority(self.present),
                present=self.present,
                cast=self.accept,
            )
        if self.accept < floor:
            return Sentence(
                "{need} accepting votes are needed, a quarter of the full membership of {full}; {cast} were cast.",
                need=floor,
                full=self.full_membership,
                cast=self.accept,
            )
        return None

    def _tie_fault(self) -> Sentence | None:
        if self.mode == "secret":
            if self.lot is None:
                return Sentence("A secret vote that ends in a tie is repeated; after a second tie, record the lot.")
            return None if self.lot == "accept" else Sentence("The lot fell against the motion.")
        if self.chair is None:
            return Sentence("The vote is a tie; record which side the chair took.")
        if self.chair == "accept":
            return None
        return Sentence("The vote is a tie and the chair did not vote for the motion.")

    def insisting_fault(self) -> Sentence | None:
        """Why the council did not insist, or None: more than half of full membership, absent members counted (5393/23)."""
        need = majority(self.full_membership)
        if self.accept >= need:
            return None
        return Sentence(
            "To insist, {need} accepting votes are needed, more than half of the full membership of {full}; {cast} were cast.",
            need=need,
            full=self.full_membership,
            cast=self.accept,
        )
