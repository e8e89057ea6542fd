"""The gate's static half: what can be said of the project without building it."""
