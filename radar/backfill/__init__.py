"""Backfill: whole histories read, counted and detected anew by the active model, on this machine or on a Dask cluster.

The unit is a market's local day. Whoever lays out a day marks it as waiting for a recount and hands its posts out; a
worker reads and counts them (`radar.backfill.reading`: the functions of the jobs, columns in and columns out, no
database); whoever laid it out writes readings, counts and "done" in one transaction. So a killed backfill goes on with
the days that are left, a killed worker's days are given to others, and both end in what the jobs in one process write.

A day that changed while it was out keeps waiting for `count_mentions`, which takes in the change. Sealed days, and days
that hold a post without its text, stay as they are. At the end the jobs count what is left and detect.
"""

from radar.backfill.filling import Filled, backfill

__all__ = ["Filled", "backfill"]
