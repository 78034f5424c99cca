"""jobs/ and models/: beside this file in a wheel, at the repository root in a checkout."""

from pathlib import Path

_here = Path(__file__).parent
__path__ = [str(_here if (_here / "jobs").is_dir() else _here.parents[1])]
