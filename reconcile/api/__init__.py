"""The Python API: everything the command line does, as values. `from reconcile import Pair`.

It prints nothing, asks nothing, and keeps nothing between two calls but the state
on disk. One run moves at a time in a process, because worker processes are forked.
Errors are those of `model/errors.py`; docs/python-api.md shows it at work.
"""

from reconcile.api.applying import events
from reconcile.api.conflicts import Resolved, Texts
from reconcile.api.files import (
    apply_plan,
    build_manifest,
    check_manifest,
    compare_directory,
    compare_manifests,
    doctor,
    list_manifest,
    load_plan,
    plan_notes,
    status,
)
from reconcile.api.hosts import host_keys, trust
from reconcile.api.jobs import demo, init, load_jobs
from reconcile.api.options import Options
from reconcile.api.pair import Pair
from reconcile.api.past import (
    conflicts,
    history,
    history_of,
    pair_of,
    restore,
    run_detail,
    undo,
    undo_plan,
    write_version,
)
from reconcile.api.reports import report, write_report
from reconcile.decide.chosen import Answer, Ending
from reconcile.engine.events import (
    Conflicted,
    Event,
    Listener,
    Moved,
    Noted,
    Phase,
    Planned,
    Scanned,
    StepEnded,
    StepStarted,
)
from reconcile.engine.health import Check
from reconcile.engine.history import NumberedVersion, PathEvent, RunDetail, RunEntry
from reconcile.engine.manifests import Built, Compared, Listed
from reconcile.engine.outcome import (
    Ended,
    Explanation,
    Generation,
    Mismatched,
    Outcome,
    PairStatus,
    Planning,
    Verification,
)
from reconcile.engine.planfile import PlanFile, SavedPlan
from reconcile.engine.pruning import Pruning
from reconcile.engine.resolving import OpenConflict
from reconcile.engine.restoring import NotRestored
from reconcile.engine.undoing import ChangedSince
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import (
    ConfigError,
    Denied,
    ExitCode,
    Interrupted,
    Locked,
    ManifestError,
    Mismatch,
    NeedsApproval,
    NoSpace,
    NotFound,
    PlanCorrupt,
    PlanUsed,
    ReconcileError,
    Refused,
    RootMissing,
    SecretInUrl,
    StalePlan,
    StateError,
    Unreachable,
    UsageError,
)
from reconcile.model.job import Job
from reconcile.model.plan import Action, Conflict, GuardCheck, Plan, Problem, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.ssh.hostkeys import ShownKey

__all__ = [
    "Action",
    "Answer",
    "Built",
    "ChangedSince",
    "Check",
    "Compared",
    "ConfigError",
    "Conflict",
    "Conflicted",
    "Denied",
    "Ended",
    "Ending",
    "Entry",
    "Event",
    "ExitCode",
    "Explanation",
    "Generation",
    "GuardCheck",
    "Interrupted",
    "Job",
    "Kind",
    "Listed",
    "Listener",
    "Locked",
    "ManifestError",
    "Mismatch",
    "Mismatched",
    "Moved",
    "NeedsApproval",
    "NoSpace",
    "NotFound",
    "NotRestored",
    "Noted",
    "NumberedVersion",
    "OpenConflict",
    "Options",
    "Outcome",
    "Pair",
    "PairStatus",
    "PathEvent",
    "Phase",
    "Plan",
    "PlanCorrupt",
    "PlanFile",
    "PlanUsed",
    "Planned",
    "Planning",
    "Problem",
    "Pruning",
    "Receipt",
    "ReconcileError",
    "Refused",
    "Resolved",
    "RootMissing",
    "RunDetail",
    "RunEntry",
    "SavedPlan",
    "Scanned",
    "SecretInUrl",
    "ShownKey",
    "Side",
    "StalePlan",
    "StateError",
    "Status",
    "Step",
    "StepEnded",
    "StepStarted",
    "Texts",
    "Unreachable",
    "UsageError",
    "Verification",
    "apply_plan",
    "build_manifest",
    "check_manifest",
    "compare_directory",
    "compare_manifests",
    "conflicts",
    "demo",
    "doctor",
    "events",
    "history",
    "history_of",
    "host_keys",
    "init",
    "list_manifest",
    "load_jobs",
    "load_plan",
    "pair_of",
    "plan_notes",
    "report",
    "restore",
    "run_detail",
    "status",
    "trust",
    "undo",
    "undo_plan",
    "write_report",
    "write_version",
]
