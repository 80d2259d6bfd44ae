"""The strategic plan of a municipality: what it holds, how it is read from a table, and what does not fit in it."""
