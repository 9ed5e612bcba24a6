// What the vectors are made of: elements that are put into the page and taken out again, frames, and a note of every answer
// that the page could read.

const plan = JSON.parse(document.getElementById("plan").textContent);
const readable = [];
let frames = 0;

/** Notes that the page saw an answer to this request, which it must not. */
function read(url, status) {
  readable.push({ url, status });
}

/** Resolves when this element has loaded or failed. */
function settled(element) {
  return new Promise((resolve) => {
    element.addEventListener("load", resolve, { once: true });
    element.addEventListener("error", resolve, { once: true });
  });
}

/** Puts an element into the page until it has loaded or failed. */
async function element(tag, properties, content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  if (content) made.innerHTML = content;
  const done = settled(made);
  document.body.append(made);
  await Promise.race([done, pause(plan.patience_ms)]);
  made.remove();
}

/** Puts an element into the page that says nothing when it is through. */
async function silent(tag, properties, content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
  if (content) made.innerHTML = content;
  document.body.append(made);
  await pause(plan.silence_ms);
  made.remove();
}

/** A frame with this text as its document. */
function frame(html, properties = {}) {
  return silent("iframe", { ...properties, srcdoc: html });
}

/** A form with one field. */
function form(url, properties, name, value) {
  const made = document.createElement("form");
  made.setAttribute("action", url);
  for (const [key, text] of Object.entries(properties)) made.setAttribute(key, text);
  const field = document.createElement("textarea");
  field.setAttribute("name", name);
  field.textContent = value;
  made.append(field);
  return made;
}

/** A document that sends such a form as soon as it is read. */
function sending(...parts) {
  return `${form(...parts).outerHTML}<script>document.forms[0].submit()</script>`;
}

/** Sends such a form into a frame of its own. */
async function submit(...parts) {
  const into = document.createElement("iframe");
  into.name = `frame ${(frames += 1)}`;
  const sent = form(...parts);
  sent.target = into.name;
  document.body.append(into, sent);
  const done = settled(into);
  sent.submit();
  await Promise.race([done, pause(plan.patience_ms)]);
  into.remove();
  sent.remove();
}

/** `fetch`, noting an answer that can be read. */
async function ask(url, options) {
  const answer = await fetch(url, options);
  if (answer.type !== "opaque" && answer.type !== "opaqueredirect") read(url, answer.status);
}

/** The same by `XMLHttpRequest`. */
function xhr(method, url, { headers = {}, body = null, credentials = false } = {}) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.withCredentials = credentials;
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onload = () => read(url, request.status);
    request.onloadend = resolve;
    request.send(body);
  });
}

/** Runs a script in a worker that answers once; `url` is `self.target` there. */
function work(kind, url, script) {
  const source = `const target = ${JSON.stringify(url)};\n${script}`;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Promise((resolve) => {
    const worker = new kind(address);
    const port = worker.port ?? worker;
    port.onmessage = ({ data }) => {
      if (data > 0) read(url, data);
      resolve();
    };
    worker.onerror = resolve;
  });
}

/** A window of its own, closed again. */
async function popup(open) {
  const opened = open();
  await pause(plan.silence_ms);
  opened?.close();
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The address of a redirect on the attacker's own server. */
function redirect(status, url) {
  return `${plan.attacker}/redirect/${status}?to=${encodeURIComponent(url)}`;
}
