"""Which members of PySpark the golden cases call: each one that `docs/parity.md` says spark_client has must be called
by a case, unless it is listed here with the reason."""

import functools
import inspect

import golden_functions
import golden_members_cases
import parity

SETTINGS = "a call of its own, not a plan: tests/live/sessions.rs"
LOCAL = "sends nothing"
# Members without a plan of their own.
WITHOUT_CASE = {
    **{f"Builder.{name}": SETTINGS for name in ("channelBuilder", "config", "create", "getOrCreate", "remote")},
    **{f"RuntimeConf.{name}": SETTINGS for name in ("get", "getAll", "isModifiable", "set", "unset")},
    **{
        f"SparkSession.{name}": SETTINGS
        for name in (
            "addArtifact addArtifacts copyFromLocalToFs cloneSession interruptAll interruptOperation interruptTag stop "
            "createDataFrame emptyDataFrame"
        ).split()
    },
    **{
        f"SparkSession.{name}": LOCAL
        for name in (
            "addTag clearTags getTags removeTag builder conf is_stopped session_id registerProgressHandler "
            "removeProgressHandler clearProgressHandlers"
        ).split()
    },
    **{f"StreamingQuery.{name}": LOCAL for name in ("id", "name", "runId")},
    **{f"Window.{name}": "a constant of window_spec and window_range_unbounded" for name in ("currentRow", "unboundedFollowing", "unboundedPreceding")},
    **{f"IdentityGenerator.{name}": "a field of the case `create`" for name in ("start", "step")},
    "StreamingQueryManager.addListener": "a stream that stays open: tests/live/streaming.rs",
    "Observation.get": "reads what an action brought: tests/live/plans.rs",
    "DataFrame.executionInfo": "reads what an action brought: tests/live/plans.rs",
    "DataFrame.sparkSession": LOCAL,
    "DataFrame.toArrow": "the plan of collect, after a question for the schema",
    "DataFrame.toLocalIterator": "the plan of collect, after a question for settings",
}


class Recorder:
    """Notes the members that cases call; calls from within PySpark are not theirs."""

    def __init__(self):
        self.called = set()
        self.depth = 0

    def noting(self, key, function):
        @functools.wraps(function)
        def noted(*arguments, **named):
            if self.depth == 0:
                self.called.add(key)
            self.depth += 1
            try:
                return function(*arguments, **named)
            finally:
                self.depth -= 1

        return noted

    def attach(self):
        for subject, _ in parity.CLASSES:
            for name in (name for name in dir(subject) if not name.startswith("_")):
                member = inspect.getattr_static(subject, name)
                noting = functools.partial(self.noting, f"{subject.__name__}.{name}")
                if isinstance(member, (staticmethod, classmethod)):
                    setattr(subject, name, type(member)(noting(member.__func__)))
                elif isinstance(member, property):
                    setattr(subject, name, property(noting(member.fget)))
                elif isinstance(member, functools.cached_property):
                    setattr(subject, name, property(noting(member.func)))
                elif inspect.isfunction(member) or hasattr(member, "cache_info"):
                    setattr(subject, name, noting(member))

    def missing(self):
        """What spark_client has and no case calls; and what is listed above without need."""
        have = {f"{owner}.{member}" for owner, member, _, state in parity.entries() if state == "have"}
        functions = {name for name in have if name.startswith("functions.")}
        by_hand = {"functions." + case.split("/")[0] for case in golden_members_cases.BY_HAND}
        generated = {f"functions.{name}" for name in golden_functions.generated()}
        missing = (have - functions - self.called) | (functions - by_hand - generated)
        return sorted(missing - set(WITHOUT_CASE)), sorted(set(WITHOUT_CASE) - missing)
