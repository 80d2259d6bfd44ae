"""Who hears what, and in which words; no I/O."""
