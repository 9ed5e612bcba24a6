"""A program on the official x402 client whose key moved out of its process.

Before, it registered a scheme with a private key: `client.register("eip155:*", ExactEvmScheme(Account.from_key(KEY)))`. Now it
registers none and lets Countersign answer each 402; the rest of the program is unchanged.

    COUNTERSIGN_URL=http://127.0.0.1:7402 COUNTERSIGN_TOKEN=… python buy.py URL KEY
"""

import asyncio
import os
import sys

import httpx
from x402 import x402Client
from x402.http import x402HTTPClient
from x402.http.clients import x402_httpx_transport

from countersign import Countersign


async def main(url, key):
    countersign = Countersign(os.environ["COUNTERSIGN_URL"], os.environ["COUNTERSIGN_TOKEN"])
    client = x402HTTPClient(x402Client()).on_payment_required(countersign.hook(lambda _url: key))
    async with httpx.AsyncClient(transport=x402_httpx_transport(client)) as shop:
        response = await shop.get(url)
        response.raise_for_status()
        print(response.text)


asyncio.run(main(*sys.argv[1:]))
