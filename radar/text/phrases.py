"""The best terms of many texts: whole units that hold together, stand free, and are unusual; one form each.

Candidates are the 1-4-grams of radar.text.terms. For each of them
- association: the likelihood ratio G2 (Dunning 1993, NLTK's `BigramAssocMeasures.likelihood_ratio`) at its weakest
  joint, and NPMI over all its words, ln(p(w1..wn) / prod p(wi)) / (-(n-1) ln p(w1..wn)) (Bouma 2009; n words after
  Van de Cruys 2011): 1 for words only seen together, 0 for chance;
- boundary entropy: bits of what stands left and right of it, the less of the two (Jin and Tanaka-Ishii 2006): a
  fragment of a longer unit has the same neighbour always. The edge of a text, a sign or a particle in hiragana is a
  new neighbour each time;
- unusualness: log2 of its frequency over that of the background, or over the frequencies that everyday words have;
- score: p (informativeness + phraseness), the pointwise Kullback-Leibler divergences of Tomokiyo and Hurst (2003),
  p the share of texts with the term.

A term folds into another that contains it when half its texts hold the longer one (環球影城 in 大阪環球影城), a
longer one into its core when it is a rare and loose variant, and two spellings of which one begins the other
(ドンキ, ドンキホーテ) when they keep the same company (cosine of their neighbours). The form that most texts use
leads, the others are listed.

Memory is bounded: counts are pruned as in lossy counting (Manku and Motwani 2002): when the table is full, the rarest
go, and what comes back later starts from one. Neighbours are remembered for terms seen three times, 32 on each side.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import xxhash
from nltk.metrics import BigramAssocMeasures

from radar.text.lexicon import function_words
from radar.text.normalise import normalise, split_hashtags
from radar.text.segment import segments
from radar.text.terms import is_dense_text, scan

BATCH = 1_000
MOST_ENTRIES = 100_000
NEIGHBOURS = 32
NEIGHBOURS_FROM = 3
AUTHORS_KEPT = 64
LEAST_G2 = 10.83
"""Chi-square with one degree of freedom at p = 0.001."""
LEAST_NPMI = 0.25
FREE = 0.3
"""Least boundary entropy, as a share of the most that so many occurrences could have (at most 8 bits)."""
SAME_COMPANY = 0.5
MOSTLY_LONGER = 0.5
"""Share of a term's texts that hold the longer one, from which it is a part of that."""
RARE_VARIANT, LOOSE = 0.1, 0.45
"""A longer term is a variant of its core below this share of its texts and this NPMI."""
EVERYDAY_PER_MILLION = 600.0
UNKNOWN_PER_MILLION = 8.0


@dataclass(frozen=True, slots=True)
class Term:
    """A term and what speaks for it.

    count, docs   occurrences · texts that hold it   authors  distinct authors (estimated above 64), None if not given
    association   G2 at the weakest joint and NPMI; None for a single word
    entropy       bits at the more predictable edge   unusualness  log2 of frequency over background
    folded        forms counted as this one
    """

    text: str
    count: int
    docs: int
    authors: int | None
    g2: float | None
    npmi: float | None
    entropy: float
    unusualness: float
    score: float
    folded: tuple[str, ...]


_NONE: dict[str, int] = {}


class _Entry:
    """What is remembered of a candidate."""

    __slots__ = ("authors", "count", "docs", "free_left", "free_right", "last", "left", "right", "words")

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        self.count = self.docs = 0
        self.last = -1
        self.free_left = self.free_right = 0
        self.left: dict[str, int] = _NONE
        self.right: dict[str, int] = _NONE
        self.authors: set[int] | None = None


class TermCounter:
    """Counts candidates of texts batch by batch, in bounded memory.

    most_entries  candidates kept; the rarest go when there are more

    >>> counter = TermCounter()
    >>> counter.add(["月光列車好玩", "搭月光列車"])
    >>> counter.entries["月光列車"].docs
    2
    """

    def __init__(self, most_entries: int = MOST_ENTRIES) -> None:
        self.most_entries = most_entries
        self.entries: dict[str, _Entry] = {}
        self.words: Counter[str] = Counter()
        self.word_count = self.text_count = 0

    def add(self, texts: Sequence[str], authors: Sequence[str] | None = None) -> None:
        """Count a batch; authors as many as texts."""
        bodies = [split_hashtags(normalise(text))[0] for text in texts]
        for i, pieces in enumerate(segments(bodies)):
            self._add_one(pieces, authors[i] if authors else None)
            if len(self.entries) > self.most_entries:
                self._prune()
        if len(self.words) > self.most_entries:
            self.words = Counter(dict(self.words.most_common(self.most_entries // 2)))

    def _add_one(self, pieces: Sequence[str], author: str | None) -> None:
        doc = self.text_count
        self.text_count += 1
        said = [piece for piece in pieces if piece[0].isalnum() or "\u0e00" <= piece[0] <= "\u0e7f"]
        self.words.update(said)
        self.word_count += len(said)
        spans: list[tuple[int, int]] = []
        who = xxhash.xxh3_64_intdigest(author.encode()) if author is not None else None
        for text, (start, end) in zip(scan(pieces, spans), spans, strict=True):
            entry = self.entries.get(text)
            if entry is None:
                entry = self.entries[text] = _Entry(tuple(p for p in pieces[start : end + 1] if p != " "))
            entry.count += 1
            if entry.last != doc:
                entry.docs += 1
                entry.last = doc
            if entry.count >= NEIGHBOURS_FROM:
                _meet(entry, pieces, start, end)
            if who is not None:
                _heard(entry, who)

    def _prune(self) -> None:
        """Halve the table: the least counted go."""
        counts = sorted(entry.count for entry in self.entries.values())
        least = max(counts[len(counts) // 2], 1)
        self.entries = dict(
            islice(((t, e) for t, e in self.entries.items() if e.count > least), self.most_entries // 2)
        )


def _meet(entry: _Entry, pieces: Sequence[str], start: int, end: int) -> None:
    if entry.left is _NONE:
        entry.left, entry.right = {}, {}
    entry.free_left += _greet(entry.left, pieces, start - 1, -1)
    entry.free_right += _greet(entry.right, pieces, end + 1, 1)


def _greet(met: dict[str, int], pieces: Sequence[str], at: int, step: int) -> int:
    """Count the neighbour at a place, over a space; 1 if there is none that is remembered, or a kana particle."""
    if 0 <= at < len(pieces) and pieces[at] == " ":
        at += step
    word = pieces[at] if 0 <= at < len(pieces) else ""
    if word and "\u3041" <= word[0] <= "\u309f" and word in function_words().stop:
        return 1
    if word and (word in met or len(met) < NEIGHBOURS) and (word[0].isalnum() or word[0] >= "\u0e00"):
        met[word] = met.get(word, 0) + 1
        return 0
    return 1


def _heard(entry: _Entry, who: int) -> None:
    """The 64 least hashes of authors: their number (Bar-Yossef et al. 2002, "k minimum values")."""
    if entry.authors is None:
        entry.authors = set()
    if len(entry.authors) < AUTHORS_KEPT:
        entry.authors.add(who)
    elif who not in entry.authors and who < (most := max(entry.authors)):
        entry.authors.remove(most)
        entry.authors.add(who)


def _author_count(entry: _Entry) -> int | None:
    if entry.authors is None:
        return None
    if len(entry.authors) < AUTHORS_KEPT:
        return len(entry.authors)
    return max(round((AUTHORS_KEPT - 1) * 2.0**64 / max(entry.authors)), AUTHORS_KEPT)


def entropy(met: Mapping[str, int], free: int) -> float:
    """Bits of the neighbours on one side; each of the free occurrences is a neighbour of its own.

    >>> entropy({"a": 2, "b": 2}, 0), entropy({}, 4), entropy({"a": 4}, 0)
    (1.0, 2.0, 0.0)
    """
    total = sum(met.values()) + free
    if not total:
        return 0.0
    bits = sum(n * math.log2(total / n) for n in met.values()) + free * math.log2(total)
    return bits / total


def npmi(count: int, parts: Sequence[int], total: int) -> float:
    """Normalised pointwise mutual information of n words that are seen together count times.

    parts  occurrences of each word    total  words in all

    >>> round(npmi(10, [10, 10], 1000), 3), round(npmi(10, [100, 100], 1000), 3)
    (1.0, 0.0)
    """
    p = count / total
    if p >= 1.0:
        return 1.0
    chance = sum(math.log(max(n, count) / total) for n in parts)
    return (math.log(p) - chance) / (-(len(parts) - 1) * math.log(p))


def likelihood_ratio(count: int, left: int, right: int, total: int) -> float:
    """G2 of two neighbours; 0 where they meet less often than chance has it.

    >>> round(likelihood_ratio(10, 10, 10, 1000), 1), likelihood_ratio(1, 100, 100, 1000)
    (112.0, 0.0)
    """
    left, right = max(left, count), max(right, count)
    if count * total <= left * right:
        return 0.0
    return float(BigramAssocMeasures.likelihood_ratio(count, (left, right), max(total, left + right - count)))


def best_terms(
    texts: Iterable[str],
    language: str,
    n: int = 50,
    background: Mapping[str, float] | None = None,
    *,
    authors: Iterable[str] | None = None,
    least_docs: int = 3,
    most_entries: int = MOST_ENTRIES,
) -> list[Term]:
    """The n best terms of texts, best first. Texts are read once, batch by batch.

    language    zh-Hant, zh-Hans, ja, ko, th or en: whose everyday words are known
    background  term -> occurrences per million words elsewhere; terms it lacks count as rare
    authors     of each text, to count distinct ones
    least_docs  texts that a term must be in

    >>> [t.text for t in best_terms(["搭月光列車去", "月光列車很美", "去看月光列車", "月光列車!"], "zh-Hant")]
    ['月光列車']
    """
    counter = TermCounter(most_entries)
    who = iter(authors) if authors is not None else None
    for batch in _batches(texts):
        counter.add(batch, list(islice(who, len(batch))) if who is not None else None)
    return rank(counter, language, n, background, least_docs=least_docs)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    source = iter(texts)
    while batch := list(islice(source, BATCH)):
        yield batch


def rank(
    counter: TermCounter,
    language: str,
    n: int = 50,
    background: Mapping[str, float] | None = None,
    *,
    least_docs: int = 3,
) -> list[Term]:
    """The n best of what was counted so far."""
    everyday = function_words().everyday.get(language.partition("-")[0], frozenset())
    found: dict[str, Term] = {}
    for text, entry in counter.entries.items():
        if entry.docs >= least_docs and (term := _judge(text, entry, counter, everyday, background)):
            found[text] = term
    best = sorted(found.values(), key=lambda t: (-t.score, t.text))[: 8 * n]
    # what does not stand free is only a part: it may be listed under a whole, never by itself
    whole = [term for term in _fold(best, counter.entries) if _stands_free(term)]
    return sorted(whole, key=lambda t: (-t.score, t.text))[:n]


def _judge(
    text: str,
    entry: _Entry,
    counter: TermCounter,
    everyday: frozenset[str],
    background: Mapping[str, float] | None,
) -> Term | None:
    """A term with its numbers, or None where it does not hold together or is usual."""
    total = max(counter.word_count, 1)
    g2 = bond = None
    if len(entry.words) > 1:
        parts = [counter.words.get(word, 0) for word in entry.words]
        g2, bond = _joint(entry, counter, parts), npmi(entry.count, parts, total)
        if g2 < LEAST_G2 or bond < LEAST_NPMI:
            return None
    edge = min(entropy(entry.left, entry.free_left), entropy(entry.right, entry.free_right))
    per_million = 1e6 * entry.count / total
    usual = _usual(text, entry.words, everyday, background)
    unusual = math.log2(per_million / usual)
    if unusual <= 0 or text in everyday or text in function_words().never:
        return None
    share = entry.docs / max(counter.text_count, 1)
    score = share * (unusual + (math.log2(1 + (g2 or 0)) * (bond or 0)))
    return Term(
        text, entry.count, entry.docs, _author_count(entry), g2, bond, edge, unusual, score, ()
    )  # fmt: skip


def _stands_free(term: Term) -> bool:
    """Whether enough different neighbours were seen at both edges; of few, that they are not all the same."""
    seen = term.count - NEIGHBOURS_FROM + 1
    if seen < 4:
        return seen < 2 or term.entropy > 0.0
    return term.entropy >= FREE * math.log2(min(seen, 256))


def _joint(entry: _Entry, counter: TermCounter, parts: Sequence[int]) -> float:
    """G2 at the weakest place to cut the term in two."""
    ratios = []
    glue = "" if is_dense_text(entry.words) else " "
    for cut in range(1, len(entry.words)):
        left, right = entry.words[:cut], entry.words[cut:]
        left_entry, right_entry = counter.entries.get(glue.join(left)), counter.entries.get(glue.join(right))
        left_count = left_entry.count if left_entry and cut > 1 else parts[cut - 1]
        right_count = right_entry.count if right_entry and cut < len(parts) - 1 else parts[cut]
        ratios.append(likelihood_ratio(entry.count, left_count, right_count, counter.word_count))
    return min(ratios)


def _usual(text: str, words: Sequence[str], everyday: frozenset[str], background: Mapping[str, float] | None) -> float:
    """Occurrences per million words elsewhere."""
    if background is not None and text in background:
        return max(background[text], 0.01)
    if len(words) == 1:
        return EVERYDAY_PER_MILLION if text in everyday else UNKNOWN_PER_MILLION
    known = [EVERYDAY_PER_MILLION if word in everyday else UNKNOWN_PER_MILLION for word in words]
    return min(known) / 4


def _fold(best: Sequence[Term], entries: Mapping[str, _Entry]) -> list[Term]:
    """One term of those that are forms of one."""
    into: dict[str, str] = {}
    by_size = sorted(best, key=lambda t: (len(t.text), t.text))
    for i, short in enumerate(by_size):
        for long in by_size[i + 1 :]:
            if long.text in into or not _contains(long.text, short.text, entries):
                continue
            keeps_short = _leads(short, long, entries)
            if keeps_short is None:
                continue
            if keeps_short:
                into[long.text] = short.text
            else:
                into[short.text] = long.text
                break
    groups: dict[str, list[Term]] = {}
    for term in best:
        head = term.text
        while head in into:
            head = into[head]
        groups.setdefault(head, []).append(term)
    return [_merged(head, group) for head, group in groups.items()]


def _contains(long: str, short: str, entries: Mapping[str, _Entry]) -> bool:
    """Whether the longer is made of the shorter and more: at the edges of words, or one word that begins the other."""
    if len(long) == len(short) or short not in long:
        return False
    if is_dense_text(entries[long].words):
        return long.startswith(short) or long.endswith(short) or len(entries[long].words) > 2
    return f" {short} " in f" {long} "


def _leads(short: Term, long: Term, entries: Mapping[str, _Entry]) -> bool | None:
    """True: the shorter stands for both. False: the longer does. None: they are two terms."""
    one, other = entries[short.text], entries[long.text]
    if len(other.words) == 1:
        if len(short.text) >= 3 and _same_company(one, other) >= SAME_COMPANY:
            return short.docs >= long.docs
        return None
    if long.docs >= MOSTLY_LONGER * short.docs:
        return False
    return True if long.docs < RARE_VARIANT * short.docs and (long.npmi or 0.0) < LOOSE else None


def _same_company(one: _Entry, other: _Entry) -> float:
    """Cosine of what stands left and right of two terms."""
    a = {("l", w): n for w, n in one.left.items()} | {("r", w): n for w, n in one.right.items()}
    b = {("l", w): n for w, n in other.left.items()} | {("r", w): n for w, n in other.right.items()}
    dot = sum(n * b.get(w, 0) for w, n in a.items())
    return dot / math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values())) if dot else 0.0


def _merged(head: str, group: Sequence[Term]) -> Term:
    lead = next(term for term in group if term.text == head)
    others = tuple(term.text for term in group if term.text != head)
    return Term(
        lead.text, lead.count, lead.docs, lead.authors, lead.g2, lead.npmi, lead.entropy, lead.unusualness,
        lead.score, others,
    )  # fmt: skip
