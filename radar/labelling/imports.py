"""Labels from a filled sheet: what can be taken goes into the history, the rest is set aside with line and reason."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from radar import labels as history
from radar.cells import plain
from radar.errors import CallerError, UnreadableInput
from radar.file_rows import Fault, Row, content_of, opened
from radar.importing import Rejects, rejects_name
from radar.labelling.sheets import sheet_rows
from radar.labels import Label, post_id
from radar.text.language import UNKNOWN, language_of
from radar.text.normalise import normalise

OFF_TOPIC = "none"
"""What is written for a post about no topic; an empty cell is a post that nobody labelled."""
REQUIRED = ("text", "topics")
LONGEST = 20_000
"""Characters of a text."""


@dataclass(slots=True)
class ImportedLabels:
    """What became of a sheet's rows.

    blank      rows that nobody labelled
    unchanged  said before, by the same person
    changed    other topics than the same person gave before
    """

    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    blank: int = 0
    rejected: int = 0
    rejects_path: Path | None = None
    labels: list[Label] = field(default_factory=list)


def import_labels(
    path: str,
    labels_dir: Path,
    topic_ids: Collection[str],
    frozen: Collection[str],
    *,
    by: str | None,
    now: datetime,
    rejects_folder: Path,
    format_name: str | None = None,
) -> ImportedLabels:
    """Take a filled sheet ("-" is standard input) into the history. The same sheet again changes nothing.

    frozen  texts of the frozen test posts, which never train
    by      who labelled, where the sheet has no column of that name

    Raises CallerError for a sheet that lacks a column, UnreadableInput for one that is damaged or holds no good row.
    """
    name = "stdin" if path == "-" else Path(path).name
    before = history.history(labels_dir)
    with opened(path) as stream:
        content = content_of(stream)
        stream.seek(0)
        rejects = Rejects(rejects_folder / rejects_name(name, content))
        reader = _Reader(name, f"{content % 2**64:016x}", topic_ids, frozen, by, now)
        done = ImportedLabels()
        try:
            for line, row in sheet_rows(stream, path, format_name):
                _take(reader, line, row, done, rejects)
        finally:
            rejects.close()
    if not done.rows:
        raise UnreadableInput(f"{name}: there are no rows.", "Check the file.")
    if rejects.count == done.rows:
        raise UnreadableInput(
            f"{name}: none of its {done.rows:,} rows could be taken. The first: {rejects.first}.",
            f"Look into {rejects.path}.",
        )
    done.rejected, done.rejects_path = rejects.count, rejects.path if rejects.count else None
    done.labels = _added(done, before)
    history.append(labels_dir, done.labels, now)
    return done


def _take(reader: "_Reader", line: int, row: Row | Fault, done: ImportedLabels, rejects: Rejects) -> None:
    done.rows += 1
    if isinstance(row, Fault):
        rejects.add(line, row.reason, row.raw)
        return
    reader.check(row)
    try:
        label = reader.label(line, row)
    except ValueError as error:
        rejects.add(line, str(error), row)
        return
    if label is None:
        done.blank += 1
    else:
        done.labels.append(label)


def _added(done: ImportedLabels, before: list[Label]) -> list[Label]:
    """The labels that say something new, counted by what they change."""
    taken = {(label.content, label.line, label.by) for label in before}
    stands = history.standing(before)
    added = []
    for label in done.labels:
        known = stands.get((label.post, label.by))
        again = (label.content, label.line, label.by) in taken
        if again or (known is not None and known.topics == label.topics and known.text == label.text):
            done.unchanged += 1
            continue
        done.new += known is None
        done.changed += known is not None
        added.append(label)
        if known is None or label.at >= known.at:
            stands[label.post, label.by] = label
    return added


class _Reader:
    """Turns rows into labels."""

    def __init__(
        self,
        name: str,
        content: str,
        topic_ids: Collection[str],
        frozen: Collection[str],
        by: str | None,
        now: datetime,
    ) -> None:
        self._name, self._content, self._topic_ids = name, content, list(topic_ids)
        self._frozen = {normalise(text) for text in frozen}
        self._by, self._now = by, now

    def check(self, row: Row) -> None:
        """Raises CallerError where the sheet lacks a column."""
        missing = [column for column in REQUIRED if column not in row]
        if missing:
            raise CallerError(
                f"{self._name}: there is no column '{missing[0]}'.",
                f"Columns: {', '.join(map(str, row))}. Needed: text, topics; `radar label export` writes such a sheet.",
            )
        if self._by is None and "by" not in row:
            raise CallerError(f"{self._name}: who labelled it is not said.", "Say --by NAME, or add a column 'by'.")

    def label(self, line: int, row: Row) -> Label | None:
        """The row's label, None where nobody gave one. Raises ValueError with column and reason."""
        topics = self._topics(_cell(row, "topics"))
        if topics is None:
            return None
        text = _cell(row, "text")
        if not text:
            raise ValueError("text: empty")
        if len(text) > LONGEST:
            raise ValueError(f"text: {len(text):,} characters, at most {LONGEST:,} are taken")
        if normalise(text) in self._frozen:
            raise ValueError("text: one of the frozen test posts, which never train")
        by = _cell(row, "by") or self._by or ""
        if not by or len(by) > 64:
            raise ValueError("by: who labelled it is not said, or in more than 64 characters")
        language = _cell(row, "language")
        if len(language) > 16:
            raise ValueError(f"language: '{language[:40]}' is no tag as zh-Hant")
        return Label(
            post_id(_cell(row, "platform").lower(), _cell(row, "native_id"), text),
            text,
            language or language_of(text) or UNKNOWN,
            topics,
            by,
            self._at(row.get("labelled_at")),
            self._name,
            self._content,
            line,
        )

    def _topics(self, cell: str) -> tuple[str, ...] | None:
        named = sorted(set(cell.replace(",", " ").replace(";", " ").split()))
        if not named:
            return None
        if named == [OFF_TOPIC]:
            return ()
        for topic in named:
            if topic == OFF_TOPIC:
                raise ValueError(f"topics: '{OFF_TOPIC}' stands alone")
            if topic not in self._topic_ids:
                near = get_close_matches(topic, self._topic_ids, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; an id as shop.drugstore, or {OFF_TOPIC}"
                raise ValueError(f"topics: there is no topic '{topic[:60]}'{hint}")
        return tuple(named)

    def _at(self, value: Any) -> datetime:
        if value is None or value == "":
            return self._now
        try:
            at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValueError(f"labelled_at: '{str(value)[:40]}' is no time; as 2026-11-23T14:05:00Z") from None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if at > self._now:
            raise ValueError("labelled_at: in the future")
        return at.astimezone(UTC)


def _cell(row: Row, name: str) -> str:
    """A cell as text. Raises ValueError for another kind of value, or what is no Unicode."""
    value = row.get(name)
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bool | dict | list | bytes):
        raise ValueError(f"{name}: expected text, not {type(value).__name__}")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: not UTF-8: save the file as UTF-8") from None
    return plain(text).strip()
