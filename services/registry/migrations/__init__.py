"""The shapes that the registry's database has had, and what it is filled with at first."""

from services.registry.adapters.reference import seed

__all__ = ["seed"]
