"""Keep two file trees in agreement: observe, compare three ways, plan, apply, lose nothing."""

__version__ = "0.1.0"
