"""The whole store as Parquet, in a folder or an object store, and back into an empty store of either database.

    manifest.json                                                written last: an export with it is whole
    post/audience_market=TW/local_day=2026-05-01/00000.parquet   a market's local day of posts; the same of
    post_signal/... post_topic/... engagement_observation/...    readings, topics with model, counts as they were seen
    author/00000.parquet, day_count/00000.parquet, ...           every other table, some rows a file

Tables and columns are those of the store (`radar.store.tables`); a market's day is in the path and not in the file, as
Hive has it, so that pandas, Polars, DuckDB and Dask read a table by naming its folder. JSON is text. A file comes to
its name when it is whole. The manifest has rows and SHA-256 of each.

Left out: what is secret (`radar.store.transfer.SECRET`) unless it is asked for, and what goes on at the moment.
"""

from radar.transfer.back import Taken, take_in
from radar.transfer.manifest import Exported, read_manifest
from radar.transfer.out import write_out

__all__ = ["Exported", "Taken", "read_manifest", "take_in", "write_out"]
