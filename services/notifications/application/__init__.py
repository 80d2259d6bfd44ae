"""What notifications does, one module a subject."""
