"""What a person wrote about models: labels, topics, recipes. Fitted files go to RADAR_DATA_DIR."""
