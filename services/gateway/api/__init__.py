"""The paths of `/api/v1`, one module per section of the interface."""
