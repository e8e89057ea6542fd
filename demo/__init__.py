"""An app's database on the local machine: server, tables, data and the administrator's panel."""
