"""What somebody else on the same machine can try: files handed over, races, floods."""
