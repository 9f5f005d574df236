"""Starts, watches and stops a development installation of the suite: what tools/up, tools/down and tools/token do."""
