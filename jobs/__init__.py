"""One scheduled job a file, read by radar.scheduling as content."""
