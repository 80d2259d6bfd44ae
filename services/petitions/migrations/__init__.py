"""The shapes of petitions' database."""
