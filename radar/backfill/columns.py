"""Rows as Arrow columns in bytes: all that travels between whoever lays out a day and whoever reads it."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

POST = pa.schema(
    [
        ("id", pa.int64()), ("author_id", pa.int64()), ("person_id", pa.int64()), ("platform", pa.string()),
        ("native_id", pa.string()), ("revision", pa.int32()), ("published_at", pa.timestamp("us", tz="UTC")),
        ("day_only", pa.bool_()), ("text", pa.string()), ("language", pa.string()),
        ("platform_sponsored", pa.bool_()), ("repost_of", pa.string()), ("like_count", pa.int64()),
        ("comment_count", pa.int64()), ("share_count", pa.int64()), ("follower_count", pa.int64()),
        ("first_post_at", pa.timestamp("us", tz="UTC")), ("author_languages", pa.string()), ("is_pruned", pa.bool_()),
        ("read_by", pa.string()),
    ]
)  # fmt: skip
"""A `radar.store.filling.FillPost`."""
READING = pa.schema(
    [
        ("keys", pa.binary()), ("places", pa.string()), ("language", pa.string()), ("sponsored", pa.bool_()),
        ("text_hash", pa.int64()), ("sketch", pa.binary()),
        ("topics", pa.list_(pa.struct([("id", pa.string()), ("p", pa.float64())]))), ("tone", pa.int8()),
        ("negative", pa.float64()),
    ]
)  # fmt: skip
"""A `radar.classify.PostReading`."""
MENTION = pa.schema([("key_hash", pa.int64()), ("person_id", pa.int64()), ("post_count", pa.int32())])
"""Who mentioned a tracked key, in how many posts."""


def pack(schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows in the order of a schema's fields, as bytes."""
    columns: Iterable[Any] = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return bytes(sink.getvalue())


def unpack(schema: pa.Schema, packed: bytes) -> list[tuple[Any, ...]]:
    """The rows again. Raises ValueError for bytes that hold others."""
    with pa.ipc.open_stream(packed) as reader:
        table = reader.read_all()
    if table.schema != schema:
        raise ValueError("these are other columns")
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
