"""Protocols: the approval of cooperation protocols, step by step, with every legal clock."""
