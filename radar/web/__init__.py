"""The face for people: pages that work without scripts, and what they share with the API."""
