"""The door: it knows who calls, checks what they say, and passes it on; it decides nothing else."""
