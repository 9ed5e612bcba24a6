// What the fixtures of both eras answer: the texts, pictures and resources that the official conformance suite asks for by name.
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const SOUND = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='
export const text = (text) => ({ type: 'text', text })
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' }
const embedded = (uri) => ({ type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'An embedded resource.' } })
export const says = (...content) => ({ content })
export const user = (...parts) => ({ messages: parts.map((content) => ({ role: 'user', content })) })
export const pause = () => new Promise((done) => setTimeout(done, 50))

/** Tools that always answer the same. */
export const ANSWERS = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [image],
  test_audio_content: [{ type: 'audio', data: SOUND, mimeType: 'audio/wav' }],
  test_embedded_resource: [embedded('test://embedded-resource')],
  test_multiple_content_types: [text('Multiple content types test:'), image, embedded('test://mixed-content-resource')],
}

/** Resources, and a template; the SDK's own class for templates is given. */
export function addResources(server, Template) {
  const add = (name, uri, contents) => server.registerResource(name, uri, { mimeType: contents.mimeType }, () => ({ contents: [{ uri, ...contents }] }))
  add('static-text', 'test://static-text', { mimeType: 'text/plain', text: 'This is the content of the static text resource.' })
  add('static-binary', 'test://static-binary', { mimeType: 'image/png', blob: PIXEL })
  add('watched', 'test://watched-resource', { mimeType: 'text/plain', text: 'Watched.' })
  server.registerResource('template', new Template('test://template/{id}/data', { list: undefined }), { mimeType: 'application/json' },
    (uri, { id }) => ({ contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }] }))
}

/** Prompts; `schema` makes the SDK's form of arguments, `word` a text that can be completed. */
export function addPrompts(server, schema, string, word) {
  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, () => user(text('This is a simple prompt for testing.')))
  server.registerPrompt('test_prompt_with_arguments', { description: 'With arguments', argsSchema: schema({ arg1: word(), arg2: word() }) },
    ({ arg1, arg2 }) => user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)))
  server.registerPrompt('test_prompt_with_embedded_resource', { description: 'With a resource', argsSchema: schema({ resourceUri: string() }) },
    ({ resourceUri }) => user(embedded(resourceUri), text('Please process the embedded resource above.')))
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () => user(image, text('Please analyze the image above.')))
}

/** Words that begin so. */
export const completions = (start) => ['paris', 'park', 'party'].filter((word) => word.startsWith(start))

/** The program ends with its parent. */
export function endWithParent() {
  const parent = process.ppid
  setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
}
