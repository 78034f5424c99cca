"""Alert rules: what fires, what arrives, and what never does."""
