"""Imports: taken in, compared with the registry, applied and undone.

Comparing changes nothing and is done in small steps, each with its own commit, so that another process goes on
where one was killed. Applying and undoing are one transaction each: all of it, or none.
"""
