"""An agent on the official MCP client that buys one page with Countersign's tools.

It calls `fetch` under a key of its own, and follows `pending_approval` with `get_payment` until the person has decided.

    COUNTERSIGN_URL=http://127.0.0.1:7402 COUNTERSIGN_TOKEN=… python agent.py URL KEY
"""

import asyncio
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url, key):
    headers = {"Authorization": f"Bearer {os.environ['COUNTERSIGN_TOKEN']}"}
    http = httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False)
    transport = streamable_http_client(f"{os.environ['COUNTERSIGN_URL']}/mcp", http_client=http)
    async with Client(transport) as countersign:
        arguments = {"url": url, "idempotency_key": key, "reason": "The example asked for it"}
        outcome = await call(countersign, "fetch", arguments)
        while outcome["status"] == "pending_approval":
            print("waiting for your approval in Countersign", file=sys.stderr)
            outcome = await call(countersign, "get_payment", {"payment_id": outcome["payment"]["id"]})
        if outcome["status"] not in ("completed", "not_required"):
            raise SystemExit(f"{outcome['status']}: {outcome.get('next', '')}")
        print(outcome["response"]["body"])


async def call(countersign, tool, arguments):
    result = await countersign.call_tool(tool, arguments)
    if result.is_error:
        raise SystemExit(result.content[0].text)
    return result.structured_content


asyncio.run(main(*sys.argv[1:]))
