"""The rules of protocols."""
