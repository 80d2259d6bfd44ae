"""The registry's rim: tables, search, and the shapes that others see."""
