"""The machinery at the rim: settings, databases, brokers, metrics, logs."""
