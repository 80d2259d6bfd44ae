"""Rows, events and answers of the notifications service."""
