"""Runs under an interpreter that has mcp: starts an MCP server by its command, and prints what its tools answer."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

CALLS = {
    "tables": ("get_hunting_schema", {}),
    "schema": ("get_hunting_schema", {"table_name": "DeviceProcessEvents"}),
    "rows": ("run_hunting_query", {"query": "DeviceProcessEvents | project Timestamp, DeviceName | take 2"}),
    "refused": ("run_hunting_query", {"query": "DeviceProcessEvents | where FileNam == 'x'"}),
}


async def main(command: str) -> dict[str, object]:
    """The names of the tools, and one text for each call."""
    parameters = StdioServerParameters(command=command, env=dict(os.environ))
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        await session.initialize()
        answers: dict[str, object] = {"tools": [tool.name for tool in (await session.list_tools()).tools]}
        for name, (tool, arguments) in CALLS.items():
            answers[name] = (await session.call_tool(tool, arguments)).content[0].text
        return answers


if __name__ == "__main__":
    json.dump(asyncio.run(main(sys.argv[1])), sys.stdout)
