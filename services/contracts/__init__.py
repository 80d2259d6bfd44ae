"""What the services tell and ask each other; one module per producer."""
