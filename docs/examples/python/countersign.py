"""The payer a program calls instead of holding a key.

It sends the seller's whole price and the address it came from to Countersign, waits while a person decides, and returns the
credential. Countersign judges that price and signs it, or does not: no function here, or there, signs data that a program made up.
"""

import httpx
from x402.schemas.hooks import PaymentRequiredHeadersResult


class NotPaid(Exception):
    """The person, the rules or the offer stood in the way; `answer` says which, and what to do next."""

    def __init__(self, answer):
        super().__init__(f"{answer.get('code') or answer.get('status')}: {answer.get('detail', '')} {answer.get('next', '')}")
        self.answer = answer


class Countersign:
    """A connection to the Countersign on this computer."""

    def __init__(self, url, token):
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False)

    async def authorize(self, challenge, url, key, method="GET"):
        """The outcome with its credential. The same key is the same purchase: repeating the call never pays twice."""
        body = {"rail": "x402", "url": url, "method": method, "challenge": challenge, "idempotency_key": key}
        outcome = await self._call("POST", "/v1/payments", json=body)
        while outcome["status"] == "pending_approval":
            outcome = await self._call("GET", f"/v1/payments/{outcome['payment']['id']}", params={"wait": 25})
        if outcome["status"] != "authorized":
            raise NotPaid(outcome)
        return outcome

    async def report(self, outcome, **receipt):
        """Tells what the seller answered: `header="…"` from HTTP, `receipt={…}` from MCP or A2A."""
        return await self._call("POST", f"/v1/payments/{outcome['payment']['id']}/receipt", json=receipt)

    def hook(self, key_of):
        """For `x402HTTPClient.on_payment_required`: answers a 402 with Countersign's credential. `key_of(url)` names the purchase."""

        async def pay(context):
            challenge = context.payment_required.model_dump(by_alias=True, exclude_none=True)
            outcome = await self.authorize(challenge, context.request_url, key_of(context.request_url))
            return PaymentRequiredHeadersResult(headers=outcome["credential"]["headers"])

        return pay

    async def _call(self, method, path, **more):
        response = await self._http.request(method, path, **more)
        answer = response.json()
        if response.is_error:
            raise NotPaid(answer)
        return answer
