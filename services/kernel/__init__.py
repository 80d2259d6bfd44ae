"""Pure rules and vocabulary shared by all services; nothing here does I/O."""
