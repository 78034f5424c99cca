"""Who is told what, and when: rules fire on stored changes of stage, and what they tell is delivered until it is there.

A rule tells of a trend and a stage once, however often detection goes through the same days again. `firing` writes the
message, its deliveries and the reading position in one transaction; `sending` takes each delivery on and settles it.
"""

from radar.alerts.firing import fire
from radar.alerts.rules import Wanted, checked
from radar.alerts.sending import Sender, send_due, send_test, tidy

__all__ = ["Sender", "Wanted", "checked", "fire", "send_due", "send_test", "tidy"]
