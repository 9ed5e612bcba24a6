// A fetch that pays through Countersign: put it where a program wraps fetch with its own key today.
//
// It sends the seller's whole price and its address to POST /v1/payments, waits while a person decides, and repeats the request once
// with the credential. Countersign judges that price itself. There is no function that signs data a program made up, on purpose: a
// program that may choose what is signed might as well hold the key.

export interface Purse {
  /** Where Countersign listens, such as http://127.0.0.1:7402. */
  url: string
  /** What `countersign agent add` printed. */
  token: string
}

/** The person, the rules or the offer stood in the way; `answer` says which, and what to do next. */
export class NotPaid extends Error {
  constructor(readonly answer: Outcome) {
    super(`${answer.code ?? answer.status}: ${answer.detail ?? ''} ${answer.next ?? ''}`)
  }
}

export interface Outcome {
  status: string | number
  payment?: { id: string } | null
  credential?: { headers: Record<string, string> }
  code?: string
  detail?: string
  next?: string
}

/**
 * The same fetch, which pays a 402. One purchase is one `Idempotency-Key` header: a program that may repeat a request sends it, and
 * never pays twice; without it every call is a purchase of its own.
 */
export function wrapFetchWithCountersign(fetch: typeof globalThis.fetch, purse: Purse): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const paid = request.clone()
    const response = await fetch(request)
    if (response.status !== 402) return response

    // Version 2 has its price in the header, version 1 in the body.
    const challenge = response.headers.get('PAYMENT-REQUIRED') ?? await response.json()
    const key = request.headers.get('Idempotency-Key') ?? crypto.randomUUID()
    const outcome = await authorize(fetch, purse, { url: request.url, method: request.method, challenge, idempotency_key: key })

    for (const [name, value] of Object.entries(outcome.credential?.headers ?? {})) paid.headers.set(name, value)
    // A credential is for this address only: it is worth money to whoever receives it.
    const delivered = await fetch(new Request(paid, { redirect: 'manual' }))
    const receipt = delivered.headers.get('PAYMENT-RESPONSE') ?? delivered.headers.get('X-PAYMENT-RESPONSE')
    if (receipt) await ask(fetch, purse, 'POST', `/v1/payments/${outcome.payment?.id}/receipt`, { header: receipt })
    return delivered
  }
}

async function authorize(fetch: typeof globalThis.fetch, purse: Purse, wanted: object): Promise<Outcome> {
  let outcome = await ask(fetch, purse, 'POST', '/v1/payments', { rail: 'x402', ...wanted })
  while (outcome.status === 'pending_approval') {
    outcome = await ask(fetch, purse, 'GET', `/v1/payments/${outcome.payment?.id}?wait=25`)
  }
  if (outcome.status !== 'authorized' || !outcome.credential) throw new NotPaid(outcome)
  return outcome
}

async function ask(fetch: typeof globalThis.fetch, purse: Purse, method: string, path: string, body?: object): Promise<Outcome> {
  const headers = { Authorization: `Bearer ${purse.token}`, 'Content-Type': 'application/json' }
  const response = await fetch(new URL(path, purse.url), { method, headers, body: body && JSON.stringify(body) })
  const answer = await response.json() as Outcome
  if (!response.ok) throw new NotPaid(answer)
  return answer
}
