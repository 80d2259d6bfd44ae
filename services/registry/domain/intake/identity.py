"""By what rows of a file and organisations of the registry are held to be the same.

The registry number; without one the name with province and district, after Turkish folding.
"""

from __future__ import annotations

from services.kernel.turkish import words


def registry_key(number: str | None) -> str | None:
    """A registry number without its signs; None for none."""
    return "".join(words(number)) or None if number else None


def identity_key(name: str, province_code: str | None, district: str | None) -> str:
    """Name, province and district, folded. Two organisations may share it: then a person decides."""
    place = " ".join(words(district)) if district else ""
    return f"{' '.join(words(name))}|{province_code or ''}|{place}"
