"""A paid MCP tool on the official Python packages: `fortune` costs $0.02, settled through the facilitator given.

Usage: python paid_tool_server.py FACILITATOR PAY_TO; prints one ready line {"event": "ready", "mcp": URL} and serves until stdin closes.
Every answer counts its deliveries, so a replayed one is told from a new one.
"""

import asyncio
import json
import sys

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from x402 import x402ResourceServer
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.mcp.server_async import PaymentWrapperConfig, create_payment_wrapper
from x402.mechanisms.evm.exact import ExactEvmServerScheme
from x402.schemas import ResourceConfig

NETWORK = "eip155:84532"
TOOL = types.Tool(name="fortune", description="A fortune, for money", input_schema={"type": "object"})


async def main(facilitator, pay_to):
    shop = x402ResourceServer(HTTPFacilitatorClient(FacilitatorConfig(url=facilitator)))
    shop.register(NETWORK, ExactEvmServerScheme())
    await asyncio.to_thread(shop.initialize)
    price = ResourceConfig(scheme="exact", network=NETWORK, pay_to=pay_to, price="$0.02")
    accepts = shop.build_payment_requirements(price)
    deliveries = 0

    @create_payment_wrapper(shop, PaymentWrapperConfig(accepts=accepts))
    async def fortune(_arguments, _context):
        nonlocal deliveries
        deliveries += 1
        return {"content": [{"type": "text", "text": json.dumps({"fortune": "A small purse travels far.", "delivery": deliveries})}]}

    async def list_tools(_context, _params):
        return types.ListToolsResult(tools=[TOOL])

    async def call_tool(_context, params):
        meta = params.meta if isinstance(params.meta, dict) else {}
        result = await fortune(params.arguments or {}, {"_meta": meta, "toolName": params.name})
        return types.CallToolResult(
            content=result.content, is_error=result.is_error, meta=result.meta or None, structured_content=result.structured_content
        )

    app = Server("paid-tool", on_list_tools=list_tools, on_call_tool=call_tool).streamable_http_app(stateless_http=True)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(json.dumps({"event": "ready", "mcp": f"http://127.0.0.1:{port}/mcp"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


asyncio.run(main(*sys.argv[1:]))
