"""Files that platforms and tools give: what their rows say, in the words that `radar import` uses for fields.

youtube-trending     the CSV tables of trending videos that circulate, in their two spellings
x-archive            the archive of an account at X: the ZIP file, or data/tweets.js out of it
instagram-archive    the archive of an account at Instagram in JSON: the ZIP file, or posts_1.json out of it

A count that a platform hides is None, a field that the file does not tell is missing.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, NamedTuple

from radar.errors import UnknownName, UnreadableInput
from radar.file_rows import Fault, Row, format_of, rows_of

MOST_BYTES = 1 << 30
"""Of one file inside an archive, unpacked."""

Lines = Iterator[tuple[int, Row | Fault]]


class Export(NamedTuple):
    """A kind of file: the platform of its posts, and how its rows are read from an open file of some name."""

    platform: str
    read: Callable[[IO[bytes], str], Lines]


def export_of(name: str) -> Export:
    """Raises UnknownName."""
    if name not in EXPORTS:
        raise UnknownName("kind of export", name, list(EXPORTS))
    return EXPORTS[name]


# ---- trending videos ----


def _youtube_trending(stream: IO[bytes], name: str) -> Lines:
    for line, row in rows_of(stream, format_of(name, None), name):
        yield line, row if isinstance(row, Fault) else _video(row)


def _video(row: Row) -> Row:
    def first(*names: str) -> Any:
        return next((row[n] for n in names if row.get(n) not in (None, "")), None)

    no_likes, no_comments = _is_true(row.get("ratings_disabled")), _is_true(row.get("comments_disabled"))
    video = first("video_id")
    text = "\n".join(str(part) for part in (first("title"), first("description")) if part)
    return {
        "native_id": video, "author": first("channelId", "channel_id", "channelTitle", "channel_title"),
        "author_name": first("channelTitle", "channel_title"), "text": text,
        "published_at": first("publishedAt", "publish_time", "published_at"),
        "url": f"https://www.youtube.com/watch?v={video}" if video else None,
        "view_count": first("view_count", "views"), "like_count": None if no_likes else first("likes", "like_count"),
        "comment_count": None if no_comments else first("comment_count"),
    }  # fmt: skip


def _is_true(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "1")


# ---- archives ----


def _x_archive(stream: IO[bytes], name: str) -> Lines:
    """Posts of the archive's owner; what it only repeats of others is left out."""
    files = _files(stream, name, r"(?:^|/)data/(?:tweets?|tweets?-part\d+)\.js$")
    owner: dict[str, Any] = {}
    for _, text in _files(stream, name, r"(?:^|/)data/account\.js$") if _is_zip(stream) else ():
        for one in _list(_json(text, name), name):
            said = one.get("account") if isinstance(one, dict) else None
            owner = said if isinstance(said, dict) else {}
    for _, text in files:
        for n, item in enumerate(_list(_json(text, name), name), start=1):
            tweet = item.get("tweet", item) if isinstance(item, dict) else None
            if not isinstance(tweet, dict):
                yield n, Fault("expected an object", str(item)[:2_000])
            elif not str(tweet.get("full_text", "")).startswith("RT @"):
                yield n, _tweet(tweet, owner)


def _tweet(tweet: dict[str, Any], owner: dict[str, Any]) -> Row:
    native, handle = tweet.get("id_str") or tweet.get("id"), owner.get("username")
    told = {"author": owner.get("accountId"), "handle": handle, "author_name": owner.get("accountDisplayName")}
    return {
        "native_id": native, "text": tweet.get("full_text") or tweet.get("text"),
        "published_at": _tweeted(tweet.get("created_at")), "language": tweet.get("lang"),
        "like_count": tweet.get("favorite_count"), "share_count": tweet.get("retweet_count"),
        "url": f"https://x.com/{handle or 'i'}/status/{native}" if native else None,
    } | {name: value for name, value in told.items() if value}  # fmt: skip


def _tweeted(said: Any) -> Any:
    """Mon May 04 10:00:00 +0000 2026, as X writes it."""
    try:
        return datetime.strptime(str(said), "%a %b %d %H:%M:%S %z %Y")
    except ValueError:
        return said


def _instagram_archive(stream: IO[bytes], name: str) -> Lines:
    owner: dict[str, Any] = {}
    for _, text in _files(stream, name, r"(?:^|/)personal_information\.json$") if _is_zip(stream) else ():
        for profile in _list(_json(text, name), name):
            said = profile.get("string_map_data") if isinstance(profile, dict) else None
            told = said if isinstance(said, dict) else {}
            owner |= {k: _mended(str(v.get("value", ""))) for k, v in told.items() if isinstance(v, dict)}
    told = {"author": owner.get("Username"), "handle": owner.get("Username"), "author_name": owner.get("Name")}
    told = {key: value for key, value in told.items() if value}
    for _, text in _files(stream, name, r"(?:^|/)posts(?:_\d+)?\.json$"):
        for n, item in enumerate(_list(_json(text, name), name), start=1):
            media = item.get("media") if isinstance(item, dict) else None
            if not isinstance(media, list) or not all(isinstance(m, dict) for m in media):
                yield n, Fault("expected an object with media", str(item)[:2_000])
                continue
            first = media[0] if media else {}
            at = item.get("creation_timestamp") or first.get("creation_timestamp")
            said = _mended(str(item.get("title") or first.get("title") or ""))
            yield n, {"text": said, "published_at": _epoch(at)} | told


def _epoch(at: Any) -> Any:
    return datetime.fromtimestamp(at, UTC) if isinstance(at, int) and 0 < at < 1e11 else at


def _mended(text: str) -> str:
    """Instagram writes the bytes of UTF-8 as if each were a character.

    >>> _mended("\\u00e5\\u008f\\u00b0\\u00e5\\u008c\\u0097")
    '台北'
    """
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def _is_zip(stream: IO[bytes]) -> bool:
    stream.seek(0)
    found = stream.read(4) == b"PK\x03\x04"
    stream.seek(0)
    return found


def _files(stream: IO[bytes], name: str, pattern: str) -> list[tuple[str, str]]:
    """(name, text) of the files of an archive that match, or the file itself. Raises UnreadableInput."""
    if not _is_zip(stream):
        return [(name, stream.read().decode("utf-8", "replace"))]
    try:
        with zipfile.ZipFile(stream) as archive:
            found = [one for one in archive.infolist() if re.search(pattern, one.filename)]
            if any(one.file_size > MOST_BYTES for one in found):
                raise UnreadableInput(f"{name}: a file in it is larger than {MOST_BYTES:,} bytes.", "Unpack it first.")
            return [(one.filename, _text(archive.read(one))) for one in found]
    except UnreadableInput:
        raise
    except Exception as error:  # damaged in a way that zipfile does not look for: it fails as it goes
        raise UnreadableInput(f"{name}: not a ZIP file, or a damaged one: {error}.", "Ask for it anew.") from error


def _text(raw: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", errors="replace").read()


def _json(text: str, name: str) -> Any:
    """The value, without the name that X assigns it to. Raises UnreadableInput."""
    body = re.sub(r"^\s*window\.[\w.]+\s*=\s*", "", text, count=1)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(f"{name}: not JSON: {error}.", "Is it the right file of the archive?") from error


def _list(found: Any, name: str) -> list[Any]:
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), found)
    if not isinstance(found, list):
        raise UnreadableInput(f"{name}: expected a list of posts.", "Is it the right file of the archive?")
    return found


EXPORTS = {
    "youtube-trending": Export("youtube", _youtube_trending),
    "x-archive": Export("x", _x_archive),
    "instagram-archive": Export("instagram", _instagram_archive),
}
