"""Protocols kept in a database and told to others."""
