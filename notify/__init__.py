"""Tell people of the mart `alerts`: each once, again when worse, and once when it is over."""
