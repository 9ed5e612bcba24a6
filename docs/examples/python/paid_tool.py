"""A client of somebody else's paid MCP tool, with Countersign as its purse.

The tool answers a call without payment with a price. That result goes to Countersign whole; its answer has `credential.meta`, which
is what the same call needs as `_meta`. The receipt in the paid result is reported back.

    COUNTERSIGN_URL=http://127.0.0.1:7402 COUNTERSIGN_TOKEN=… python paid_tool.py MCP_URL TOOL KEY
"""

import asyncio
import os
import sys

from mcp import Client

from countersign import Countersign

RECEIPT = "x402/payment-response"


async def main(url, tool, key):
    countersign = Countersign(os.environ["COUNTERSIGN_URL"], os.environ["COUNTERSIGN_TOKEN"])
    async with Client(url) as seller:
        result = await seller.call_tool(tool, {})
        if result.is_error and "accepts" in (result.structured_content or {}):
            price = result.model_dump(mode="json", by_alias=True, exclude_none=True)
            outcome = await countersign.authorize(price, url, key, method="POST")
            result = await seller.call_tool(tool, {}, meta=outcome["credential"]["meta"])
            if receipt := (result.meta or {}).get(RECEIPT):
                await countersign.report(outcome, receipt=receipt)
        if result.is_error:
            raise SystemExit(result.content[0].text)
        print(result.content[0].text)


asyncio.run(main(*sys.argv[1:]))
