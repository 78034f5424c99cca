"""Which trends of one market reach another, when, and how sure that is."""

from radar.arrivals.cells import HORIZON, LIVE
from radar.arrivals.judging import HORIZONS, Error, calibration_error
from radar.arrivals.model import ArrivalModel

__all__ = ["HORIZON", "HORIZONS", "LIVE", "ArrivalModel", "Error", "calibration_error"]
