"""The commands and queries of petitions."""
