"""The shapes that the notifications database has had."""
