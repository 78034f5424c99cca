"""What jobs load when they come to it: half of the time of those that are short."""

import altair  # noqa: F401
import fontTools.ttLib  # noqa: F401
import h11  # noqa: F401
import holidays
import httpcore  # noqa: F401

import radar.alerts.sending
import radar.arrivals
import radar.diffuse
import radar.drift
import radar.loaded_ahead
import radar.sources.world.world
import radar.web.document_pdf
import radar.web.report_files
import radar.web.told  # noqa: F401
from radar.text.romanise import romanise

holidays.country_holidays("TW", years=2026)
for language, text in [("zh", "台北"), ("ja", "東京"), ("th", "กรุงเทพ")]:
    romanise(text, language)
