"""What the word vectors are made of: words of six languages, and sentences that hold them."""

import csv
import itertools
import random
import re
import tomllib
from collections import Counter
from pathlib import Path

from radar.text.codes import OTHER, SPACED, Joined, classes_of
from radar.text.normalise import compose
from radar.text.segment import segments
from radar.text.vectors import LONGEST
from radar.topics.form import feature_texts

ROOT = Path(__file__).parents[2]
LANGUAGES = ("zh", "ja", "ko", "th", "en")
LISTED = {"en": 16_000, "zh": 18_000, "ja": 18_000, "ko": 16_000, "th": 13_000}
DRAWN_OF = 12_000
"""The commonest words of a language, of which strings are drawn."""

LEAST_TEXTS = 2
"""Our own texts that hold a word which no list holds, at least."""

LONGEST_GLOSS = 120

WORD = re.compile(r"[^\W\d_]")

Pairs = list[tuple[str, str]]


def listed() -> dict[str, list[str]]:
    """The commonest words of each language, commonest first."""
    from pythainlp.corpus import tnc, ttc
    from wordfreq import top_n_list

    def thai() -> list[str]:
        counted = [
            pair for corpus in (ttc, tnc) for pair in sorted(corpus.word_freqs(), key=lambda pair: (-pair[1], pair[0]))
        ]
        return [word for word, _ in counted if re.search("[\u0e01-\u0e5b]", word)]

    found = {}
    for language, size in LISTED.items():
        raw = thai() if language == "th" else top_n_list(language, size, wordlist="best")
        words = [compose(word).lower().strip() for word in raw]
        if language == "zh":
            words = feature_texts(words)
        found[language] = whole([word for word in dict.fromkeys(words) if WORD.search(word)][:size])
    return found


def whole(words: list[str]) -> list[str]:
    """Those that a text can fall into: others ("k-pop", "10月") are split before they are looked up."""
    joined = Joined.of(words)
    classes, kept = classes_of(joined.codes), []
    for word, first, after in zip(words, joined.offsets[:-1].tolist(), joined.offsets[1:].tolist(), strict=True):
        kinds = set(classes[first : after - 1].tolist())
        if len(kinds) == 1 and OTHER not in kinds and (SPACED in kinds or len(word) <= LONGEST):
            kept.append(word)
    return kept


def own_texts() -> Pairs:
    """(language, text) of the labels, the seeds and the simulated world."""
    with (ROOT / "models/topics/labels.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["language"][:2], row["text"]) for row in csv.DictReader(file)]

    def walk(language: str, node: object) -> None:
        if isinstance(node, str):
            found.append((language, node))
        elif isinstance(node, dict):
            for key, value in node.items():
                walk(key[:2] if key[:2] in LANGUAGES else language, value)
        elif isinstance(node, list):
            for value in node:
                walk(language, value)

    for path in sorted((ROOT / "radar/sources/world/texts").glob("*.toml")):
        walk(path.stem[:2], tomllib.loads(path.read_text(encoding="utf-8")))
    walk("en", tomllib.loads((ROOT / "models/topics/seeds.toml").read_text(encoding="utf-8")))
    return found


def own_words(own: Pairs, lists: dict[str, list[str]]) -> list[str]:
    """Words of our own texts that no list holds."""
    held: Counter[str] = Counter()
    for words in segments(feature_texts([text for _, text in own])):
        held.update({word for word in words if len(word) > 1 and WORD.search(word)})
    known = {word for words in lists.values() for word in words}
    return whole(sorted(word for word, texts in held.items() if texts >= LEAST_TEXTS and word not in known))


def glosses(folder: Path, number: int) -> Pairs:
    """Some of WordNet's definitions and examples, in a seeded order."""
    found = []
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if " | " in line and not line.startswith("  "):
                found += [s.strip(' "') for s in line.split(" | ", 1)[1].split(";")]
    some = [text for text in dict.fromkeys(found) if len(text) > 25 and len(text.encode()) <= LONGEST_GLOSS]
    random.Random(0).shuffle(some)
    return [("en", text) for text in some[:number]]


def drawn(lists: dict[str, list[str]], number: int) -> Pairs:
    """Strings of 5 to 12 words drawn by frequency, so many a language: how words weigh in each other's company."""
    found = []
    for language, words in lists.items():
        rng, some = random.Random(f"1 {language}"), words[:DRAWN_OF]
        weights = list(itertools.accumulate((1 / (rank + 30)) ** 0.6 for rank in range(len(some))))
        between = " " if language in ("en", "ko") else ""
        for _ in range(number):
            found.append((language, between.join(rng.choices(some, cum_weights=weights, k=rng.randint(5, 12)))))
    return found
