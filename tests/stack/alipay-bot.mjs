// A stand-in for Alipay's program for agents that pay: passes its words, and the file among them, to the double (`a2m.mjs`) and
// prints what that says. Run: node alipay-bot.mjs URL WORDS…
import { readFileSync } from 'node:fs'

const [url, ...words] = process.argv.slice(2)
const at = words.indexOf('-f')
const file = at < 0 ? null : readFileSync(words[at + 1], 'utf8')
const answer = await fetch(`${url}/bot`, { method: 'POST', body: JSON.stringify({ words, file }) })
process.stdout.write(await answer.text())
