// Two honest shops: one on the official v2 middleware (@x402/express), one on the legacy v1 middleware (x402-express).
// Every answer is JSON that depends on the request and counts its deliveries, so a replayed body is told from a new one.
// Both settle through the facilitator given and take Base Sepolia USDC.
import { HTTPFacilitatorClient } from '@x402/core/server'
import { ExactEvmScheme } from '@x402/evm/exact/server'
import { paymentMiddleware, x402ResourceServer } from '@x402/express'
import express from 'express'
import { paymentMiddleware as paymentMiddlewareV1 } from 'x402-express'
import { NETWORK } from './chain.mjs'

const PRICES = { 'GET /cheap': '$0.03', 'GET /report': '$4.20', 'GET /huge': '$75.00', 'POST /echo': '$0.02' }

export function sellerApp(facilitator, payTo) {
  const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator }))
    .register(NETWORK, new ExactEvmScheme())
  const offer = ([route, price]) =>
    [route, { accepts: { scheme: 'exact', network: NETWORK, payTo, price }, description: `Test goods: ${route}` }]
  const deliver = deliveries()

  const app = express()
  app.use(express.json())
  app.use(paymentMiddleware(Object.fromEntries(Object.entries(PRICES).map(offer)), server))
  app.get('/cheap', deliver({ fact: 'Honey keeps for thousands of years.' }))
  app.get('/report', deliver({ report: 'Quarterly figures', rows: [['Q1', 12], ['Q2', 15], ['Q3', 11]] }))
  app.get('/huge', deliver({ archive: 'everything' }))
  app.get('/free', deliver({ notice: 'no payment needed' }))
  app.post('/echo', deliver({}))
  return app
}

export function sellerV1App(facilitator, payTo) {
  const routes = { 'GET /v1/cheap': { price: '$0.03', network: 'base-sepolia', config: { description: 'Test goods, v1' } } }
  const app = express()
  app.use(paymentMiddlewareV1(payTo, routes, { url: facilitator }))
  app.get('/v1/cheap', deliveries()({ fact: 'Bananas are berries.' }))
  return app
}

function deliveries() {
  let delivery = 0
  return (goods) => (request, response) => {
    const { method, path, query, body } = request
    response.json({ method, path, query, ...(body === undefined ? {} : { body }), ...goods, delivery: ++delivery })
  }
}
