"""The simulated world: invented people, places' real names, invented crazes. A source like any other, seeded."""

from radar.sources.world.world import SimulatedWorld

__all__ = ["SimulatedWorld"]
