"""Every test starts from the same signals, however the suite itself was started.

A shell gives what it runs in the background SIGINT ignored, `nohup` the same for
SIGHUP; children inherit that, and the tests about being stopped would wait for ever.

No example is judged by the clock: how fast a busy machine is says nothing of us.
"""

import signal

from hypothesis import HealthCheck, settings

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

settings.register_profile(
    "house", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
