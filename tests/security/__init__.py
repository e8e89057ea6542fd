"""Who may read what after a build."""
