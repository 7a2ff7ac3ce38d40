"""Keep two file trees in agreement: observe, compare three ways, plan, apply, lose nothing.

The names of `reconcile.api` are here too, loaded when first asked for.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # importing `typing` costs the command line's start
if TYPE_CHECKING:
    from reconcile.api import *  # noqa: F403  its `__all__` is what is meant
else:

    def __getattr__(name):
        """A name of the Python API."""
        from importlib import import_module

        if name == "__all__" or not name.startswith("_"):
            api = import_module("reconcile.api")
            if name in ("__all__", *api.__all__):
                return getattr(api, name)
        raise AttributeError(f"module `reconcile` has no `{name}`")

    def __dir__():
        """The names of the Python API too."""
        return sorted({*globals(), *__getattr__("__all__")})
