// The double of Alipay's gateway against the official SDK, which verifies every answer: the double is honest where it does not bend.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { AlipaySdk } from 'alipay-sdk'

// The SDK writes the local time, which the gateway takes for Beijing's.
process.env.TZ = 'Asia/Shanghai'

test('the official SDK and the double understand each other in both directions', async (t) => {
  const child = spawn(process.execPath, ['alipay-gateway.mjs'], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  const { url } = JSON.parse(value)
  const get = async (path) => (await fetch(url + path)).json()
  const control = (how) => fetch(`${url}/control`, { method: 'POST', body: JSON.stringify(how) })
  const keys = await get('/keys')
  const sdk = new AlipaySdk({ appId: keys.app_id, privateKey: keys.app, alipayPublicKey: keys.alipay, gateway: `${url}/gateway.do` })
  const exec = (method, bizContent) => sdk.exec(method, { bizContent }, { validateSign: true })
  const order = { out_trade_no: 'S1', total_amount: '30.00', subject: '书 & "stamps" 100%', product_code: 'FAST_INSTANT_TRADE_PAY' }

  assert.equal((await exec('alipay.trade.query', { out_trade_no: 'S1' })).subCode, 'ACQ.TRADE_NOT_EXIST')
  const link = sdk.pageExec('alipay.trade.page.pay', 'GET', { bizContent: order })
  assert.match(await (await fetch(link)).text(), /cashier/)
  const form = sdk.pageExec('alipay.trade.wap.pay', 'POST', { bizContent: { ...order, out_trade_no: 'S2', product_code: 'QUICK_WAP_WAY' } })
  const action = form.match(/action="([^"]+)"/)[1].replaceAll('&amp;', '&')
  const inputs = [...form.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value.replaceAll('&quot;', '"')])
  const posted = await fetch(action, { method: 'POST', body: new URLSearchParams(inputs) })
  assert.match(await posted.text(), /cashier/)
  await control({ buy: 'S1' })
  assert.equal((await exec('alipay.trade.query', { out_trade_no: 'S1' })).tradeStatus, 'TRADE_SUCCESS')
  const refund = { out_trade_no: 'S1', refund_amount: '10.00', out_request_no: 'R1' }
  assert.equal((await exec('alipay.trade.refund', refund)).fundChange, 'Y')
  assert.equal((await exec('alipay.trade.refund', refund)).fundChange, 'N')
  const found = await exec('alipay.trade.fastpay.refund.query', { out_trade_no: 'S1', out_request_no: 'R1' })
  assert.equal(found.refundStatus, 'REFUND_SUCCESS')
  for (const fault of ['tampered', 'other-key', 'missing-sign', 'error-response']) {
    await control({ fault })
    await assert.rejects(exec('alipay.trade.query', { out_trade_no: 'S1' }), fault)
  }
  const seen = await get('/seen')
  assert.equal(seen.refunds.length, 1)
  assert.deepEqual(seen.requests.filter(({ wrong }) => wrong !== null), [])
})
