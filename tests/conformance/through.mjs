// What the official client suite starts for each scenario: asks the driver of `client-suite.mjs` to do it, and ends as it ended.
// Usage, by the suite: node through.mjs DRIVER-URL URL-OF-THE-SUITE'S-SERVER. It imports nothing, because the suite starts all at once.
const [driver, upstream] = process.argv.slice(2)
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_CONTEXT: context, MCP_CONFORMANCE_PROTOCOL_VERSION: version } = process.env
const done = await fetch(driver, { method: 'POST', body: JSON.stringify({ scenario, upstream, version, context: JSON.parse(context ?? '{}') }) })
console.error(await done.text())
process.exit(done.ok ? 0 : 1)
