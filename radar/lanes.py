"""Work in lanes: within a lane one piece after another, between lanes side by side, in turns."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

WORKERS = 24
"""Pieces at work at once: they wait for servers most of the time."""

Work = Callable[[], None]


def run_lanes(pieces: Iterable[tuple[str, Work]], *, stop: threading.Event, is_late: Callable[[], bool]) -> int:
    """Do (lane, work) pieces; lanes take turns, so that a slow one holds back nobody but itself.

    is_late  no new piece is begun once it says so; what is at work is finished
    stop     set when a piece raised: the others end where they can

    Returns how many pieces were not begun. Raises what a piece raised.
    """
    queues: defaultdict[str, deque[Work]] = defaultdict(deque)
    for lane, work in pieces:
        queues[lane].append(work)
    if len(queues) == 1:  # nothing to be side by side with: an interrupt ends it at once
        (alone,) = queues.values()
        while alone and not is_late():
            alone.popleft()()
        return len(alone)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="lane") as pool:
        running: dict[Future[None], deque[Work]] = {pool.submit(q.popleft()): q for q in queues.values()}
        try:
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    queue = running.pop(future)
                    future.result()
                    if queue and not is_late():
                        running[pool.submit(queue.popleft())] = queue
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sum(map(len, queues.values()))
