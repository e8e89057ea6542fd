"""A page of the marts for people: server-rendered, without script, on loopback or as files."""
