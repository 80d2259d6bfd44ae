"""The rules of petitions, without frameworks."""
