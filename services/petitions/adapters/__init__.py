"""Rows, events and answers of petitions."""
