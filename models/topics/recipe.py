"""How the topic model is fitted: change a number here, run `radar train`, and look at the card."""

C = 1.0
"""Inverse strength of the penalty."""

WEIGHTS = {"char": 1.0, "word": 0.6, "concepts": 0.5, "vectors": 1.2}
"""Of n-grams of signs, words and their pairs, named concepts, and word vectors beside each other."""

LEAST_POSTS = 3
"""An n-gram, a word or a pair that fewer labelled posts hold is no feature: out of fold those of two posts, four in ten
of all, tell nothing."""

SEED = 20_261_122
FOLDS = 3
"""Out-of-fold scores of this many folds calibrate the probabilities and set the thresholds."""

LEAST_PRECISION = 0.75
"""A topic's threshold is where its F1 is best among those that keep this precision out of fold."""

LEAST_THRESHOLD = 0.30

MOST_OFF_TOPIC = 0.03
"""Of off-topic posts, out of fold, no more than this share is given a topic: so far is the gate before all topics shut.
Our off-topic labels are harder than what people mostly write, so real text fares better."""

TONE_C = 0.3
TONE_WEIGHTS = {"char": 1.0, "word": 0.6, "concepts": 0.5, "vectors": 1.2}
"""The tone head's, as C and WEIGHTS above; its concepts are words of praise and blame."""
