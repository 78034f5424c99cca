"""Bytes a post, by table and index, and what forgetting gives back: simulated posts through the whole line on SQLite.

Pruning is run as in two years: texts are gone, snapshots are those of whole days that are kept, counts of old days are
by the hour. Both sizes are of the file, written anew without its gaps (VACUUM).
"""

import os
import tempfile
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from radar.bench import many_posts
from radar.config import Settings, load_settings
from radar.demo import LINE
from radar.prune import prune
from radar.registry import fitted_into
from radar.scheduling import Context, Progress, run_job
from radar.store import size
from radar.store.engine import open_store
