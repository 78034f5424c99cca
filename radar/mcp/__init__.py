"""The face for agents: the Model Context Protocol over standard input and output, and over HTTP at /mcp.

Five tools that only read, on the functions that the API and the terminal answer from. An answer is short, since a model
reads all of it: numbers rounded, at most twenty lines, five posts with their links, and what it rests on said.
"""

from radar.mcp.http import Door
from radar.mcp.server import create_server

__all__ = ["Door", "create_server"]
