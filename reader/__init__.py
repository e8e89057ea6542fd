"""What the page and the export share: the marts, read as a reader role in one snapshot."""
