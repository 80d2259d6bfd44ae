"""The shapes that the gateway's database has had."""
