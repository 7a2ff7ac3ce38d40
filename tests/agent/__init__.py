"""The agent and the protocol."""
