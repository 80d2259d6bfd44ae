"""The rules of the registry; nothing here knows a database or a clock."""
