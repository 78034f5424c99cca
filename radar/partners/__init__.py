"""Partners: which KOLs should carry a thing from one market to another, with every part of the answer shown.

A KOL's score is the weighted geometric mean of parts in [0, 1] (`radar.partners.parts`): weak in one is not made up by
being strong in another, and score = product of the parts' factors, value ** (weight / sum of weights), so that a reader
can multiply it again. A part that is not known enters at `UNKNOWN` and says so; a part that nobody asked for is left
out. Lists are diversified by maximal marginal relevance (`radar.partners.shortlist`).
"""
