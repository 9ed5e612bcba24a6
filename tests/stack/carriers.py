"""What the official Python package makes of every carrier of an x402 price and of its credential. One JSON line in, one out.

{"write": HEADER} answers the price in that PAYMENT-REQUIRED header in each other carrier, as the package writes it where it does.
{"read": {CARRIER: CREDENTIAL}} reads each credential with the package's parsers and answers how many carriers beside the header
hold the same payload.
"""

import asyncio
import json
import sys

from x402.http import decode_payment_required_header, decode_payment_signature_header
from x402.mcp import create_payment_required_error
from x402.mcp.server_async import PaymentWrapperConfig, create_payment_wrapper
from x402.mcp.utils import extract_payment_from_meta
from x402.schemas import PaymentPayload


class Shop:
    """As much of a resource server as the package needs to ask for payment: it answers with the price it was given."""

    def __init__(self, required):
        self.required = required

    async def create_payment_required_response(self, *_args, **_more):
        return self.required


def write(header):
    required = decode_payment_required_header(header)
    price = required.model_dump(by_alias=True, exclude_none=True)
    tool = create_payment_wrapper(Shop(required), PaymentWrapperConfig(accepts=required.accepts))(None)
    result = asyncio.run(tool({}, {"_meta": {}, "toolName": "cheap"}))
    wire = {"isError": result.is_error, "content": result.content, "structuredContent": result.structured_content}
    error = create_payment_required_error(required)
    data = error.payment_required.model_dump(by_alias=True, exclude_none=True)
    metadata = {"x402.payment.status": "payment-required", "x402.payment.required": price}
    message = {"kind": "message", "role": "agent", "messageId": "m", "parts": [], "metadata": metadata}
    return {
        "object": price,
        "mcp_result": wire,
        "mcp_text": {"isError": result.is_error, "content": result.content},
        "mcp_error": {"code": error.code, "message": str(error), "data": data},
        "a2a_metadata": metadata,
        "a2a_task": {"kind": "task", "id": "t", "contextId": "c", "status": {"state": "input-required", "message": message}},
    }


def read(credential):
    payload = decode_payment_signature_header(credential["headers"]["PAYMENT-SIGNATURE"])
    others = [extract_payment_from_meta({"_meta": credential["meta"]})]
    if "metadata" in credential:
        assert credential["metadata"]["x402.payment.status"] == "payment-submitted", credential
        others.append(PaymentPayload.model_validate(credential["metadata"]["x402.payment.payload"]))
    return sum(other == payload for other in others)


asked = json.loads(sys.stdin.readline())
if "write" in asked:
    answer = write(asked["write"])
else:
    answer = {carrier: read(credential) for carrier, credential in asked["read"].items()}
print(json.dumps(answer))
