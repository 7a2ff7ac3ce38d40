"""One module a verb: call the engine, hand its values to the renderers, answer the exit code."""
