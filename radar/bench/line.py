"""The whole line, file to ranked trends, as a person runs it: `radar import FILE`, then `radar trends`, on SQLite.

Beside it, on the texts of the same posts in the same run, what an analyst writes today: TF-IDF and NMF for each day, in
scikit-learn: no test, no markets, no evidence.

RADAR_BENCH_POSTS says how many (simulated) posts come in, RADAR_BENCH_STORED into stores of how many posts, as
`100000,10000000`; RADAR_BENCH_FOLDER keeps the filled stores for another run.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import TfidfVectorizer

from radar.bench import many_posts
from radar.bench.sizes import all_asked, asked
from radar.config import load_settings
from radar.registry import is_fitted, load_scorer, model_folder, model_id
from radar.scheduling import Progress
from radar.sources.base import RawPost
from radar.sources.world import SimulatedWorld
from radar.store import runs
from radar.store.engine import open_store, reading

POSTS_A_DAY = 800
WORDS, TOPICS = 20_000, 10
MARKET = "TW"
BERTOPIC = "not beside it: it needs PyTorch, whose wheels for Linux on PyPI are CUDA builds"


def measure(progress: Progress) -> dict[str, object]:
    """posts_per_second by posts stored before, peak_mb, slowdown (largest store / smallest), ratio to the peer."""
    wanted = asked("POSTS", 60_000)
    sizes = sorted(all_asked("STORED", "100000,1000000"))
    posts = _posts(wanted)
    rates, peaks, stages, trends = dict[int, float](), dict[str, int](), dict[str, float](), 0
    until = posts[-1].published_at + timedelta(hours=1)
    with tempfile.TemporaryDirectory() as name:
        folder, kept = Path(name), Path(os.environ.get("RADAR_BENCH_FOLDER", name))
        file = folder / "posts.jsonl"
        file.write_text("\n".join(json.dumps(_told(p), ensure_ascii=False) for p in posts), encoding="utf-8")
        for n, size in enumerate(sizes, 1):
            done = _line(file, _filled(kept, size, progress), folder / str(size), until)
            took, peaks[f"peak_mb_at_{size}"], trends, more = done
            stages = stages or more
            rates[size] = len(posts) / took
            progress("stores", n, len(sizes))
    peer = len(posts) / _peer(posts)
    return {
        "posts": len(posts),
        **{f"posts_per_second_at_{size}": round(rate) for size, rate in rates.items()},
        **peaks,
        **{f"seconds_until_{job}_at_{sizes[0]}": round(took, 1) for job, took in stages.items()},
        **({"slowdown": round(rates[sizes[0]] / rates[sizes[-1]], 3)} if len(sizes) > 1 else {}),
        "trends": trends,
        "peer": f"scikit-learn TF-IDF + NMF per day, {TOPICS} topics",
        "peer_per_second": round(peer),
        "ratio_to_tfidf_nmf": round(rates[sizes[0]] / peer, 3),
        "bertopic": BERTOPIC,
    }


def _posts(wanted: int) -> list[RawPost]:
    """Posts of the days that follow those of the filled store; the last version of each."""
    days = -(-wanted // POSTS_A_DAY)
    world = SimulatedWorld(starts_at=many_posts.NOW, days=max(days, 75))  # a short one has no room for its plans
    given = [p for b in world.discover(None, many_posts.NOW + timedelta(days=days)) for p in b.posts if not p.deleted]
    return list({(p.platform, p.native_id): p for p in given}.values())[:wanted]


def _told(post: RawPost) -> dict[str, Any]:
    names = ("platform", "native_id", "text", "language", "like_count", "comment_count", "share_count", "view_count")
    said = {name: value for name in names if (value := getattr(post, name)) is not None}
    author = {"author": post.author.native_id, "market": post.author.audience_market}
    return said | author | {"published_at": post.published_at.isoformat()}


def _filled(folder: Path, size: int, progress: Progress) -> Path:
    """A store with that many posts, its detection at rest, for the shipped model."""
    data = folder / f"filled-{size}-{model_id()}"
    model = model_folder((settings := load_settings()).model_copy(update={"data_dir": data}))
    if not ((data / "done").exists() and is_fitted(model)):
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        load_scorer(settings)
        shutil.copytree(model_folder(settings), model)
        engine = open_store(f"sqlite:///{data / 'radar.db'}")
        many_posts.fill(engine, size, progress, world="real")
        engine.dispose()
        _radar(data, "run", "detect_trends")
        (data / "done").touch()
    return data


def _line(file: Path, filled: Path, folder: Path, until: datetime) -> tuple[float, int, int, dict[str, float]]:
    """Seconds from file to list, the largest process in MB, trends listed, and when each job was done."""
    shutil.copytree(filled, folder)
    began = time.perf_counter()
    _radar(folder, "import", str(file))
    asked = ("--market", MARKET, "--scope", "all", "--as-of", until.isoformat(), "--format", "json")
    listed = _radar(folder, "trends", *asked)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    stages = {**_stages(folder), "list_trends": took}
    shutil.rmtree(folder)
    return took, peak, len(json.loads(listed)["items"]), stages


def _stages(folder: Path) -> dict[str, float]:
    """Seconds from the command's beginning to the end of each job behind the import, as the store has them."""
    engine = open_store(f"sqlite:///{folder / 'radar.db'}", migrate=False)
    with reading(engine) as session:
        found = runs.latest_runs(session)
    engine.dispose()
    jobs = {name: found[name] for name in ("classify_posts", "count_mentions", "detect_trends")}
    return {name: (run.ended_at - run.started_at).total_seconds() for name, run in jobs.items() if run.ended_at}


def _radar(folder: Path, *words: str) -> str:
    known = {name: value for name, value in os.environ.items() if not name.startswith("RADAR_")}
    command = [sys.executable, "-m", "radar", "--data-dir", str(folder), *words]
    return subprocess.run(command, env=known, check=True, capture_output=True, text=True).stdout


def _peer(posts: Sequence[RawPost]) -> float:
    """Seconds for topics of each day's texts; characters in twos to fours, as words need a segmenter a language."""
    by_day: dict[Any, list[str]] = defaultdict(list)
    for post in posts:
        by_day[post.published_at.date()].append(post.text)
    began = time.perf_counter()
    for texts in by_day.values():
        if len(texts) > TOPICS:
            found = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=WORDS).fit_transform(texts)
            NMF(TOPICS, init="nndsvd", random_state=0, max_iter=500).fit_transform(found)
    return time.perf_counter() - began
