"""The work at an import, phase by phase."""

from __future__ import annotations

from services.registry.application.intake.comparison import compare_next
from services.registry.application.intake.port import Context
from services.registry.application.intake.undoing import undo
from services.registry.application.intake.writing import apply
from services.registry.domain.intake.course import Import, Phase


def work_at(context: Context, imported: Import) -> None:
    """Do what the import waits for, to the end of its phase. Raises Lost, Unavailable."""
    if imported.phase is Phase.COMPARING:
        while compare_next(context, imported.id):
            context.breathe()
    elif imported.phase is Phase.APPLYING:
        apply(context, imported.id)
    elif imported.phase is Phase.UNDOING:
        undo(context, imported.id)
