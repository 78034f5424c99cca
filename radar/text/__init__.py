"""Text in, values out: normalise, segment, language, terms, places, products. No clock, no settings."""
