"""The bundle run by hand: `python3 AGENT.pyz [NONCE]`."""

import sys

import carried

carried.prepare(sys.argv[0], "", lambda name: None, lambda name, data: None)

from reconcile.agent.main import serve_stdio  # noqa: E402 - not before it is prepared

sys.exit(serve_stdio("".join(sys.argv[1:2]), is_carried=True))
