"""Tells the offices concerned what happened, once each, in the language they read."""
