"""The shapes of protocols' database."""
