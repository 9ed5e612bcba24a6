// Stands in front of a token-protected server for tools that cannot send a token: adds the token, and nothing else.
// A Host or Origin that names the proxy itself becomes the server's; every other value passes as it is, so hostile ones arrive.
import { once } from 'node:events'
import { createServer, request } from 'node:http'

export async function startProxy(target, token) {
  const { hostname, port, host } = new URL(target)
  const server = createServer((incoming, outgoing) => {
    const own = (name) => `${name}:${server.address().port}`
    const ours = (value) => [own('127.0.0.1'), own('localhost')].includes(value)
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` }
    if (ours(headers.host)) headers.host = host
    if (headers.origin && ours(headers.origin.replace('http://', ''))) headers.origin = `http://${host}`
    const onward = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.closeAllConnections() ?? server.close() }
}
