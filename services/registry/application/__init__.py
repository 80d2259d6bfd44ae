"""What the registry does, one module a subject."""
