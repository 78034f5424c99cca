"""What every worker needs, loaded by their server before the first is forked (see `radar.spread`): importing this does.

numba and the types that it knows take half a second and 70 MiB, the words, names and places of texts 40 MiB: workers
share the memory, as long as nobody writes to it.
"""

import gc
from contextlib import suppress

import radar.adoption
import radar.classify
import radar.count
import radar.detect
import radar.measure
import radar.profiles
import radar.topics.compiled  # noqa: F401
from radar.text.codes import hashes_of
from radar.text.reading import read
from radar.text.vectors import word_table

with suppress(Exception):  # what cannot be had here is told by the worker that misses it
    hashes_of(["a"])
    word_table()
    read(["Osaka"], ["en"])
gc.collect()
gc.freeze()
