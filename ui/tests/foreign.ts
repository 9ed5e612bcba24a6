/** Five hundred strings that somebody may send to look like something else: as they come, before the core cleans them; only what would be
 * one sign without end is broken here as the core breaks it. */

const code = (...points: number[]) => String.fromCodePoint(...points);
const bases = ['report', 'Amount: 0.01 USD', 'api.example.com', 'Bezahlt ✓ nothing to pay'];

const turning = [0x200e, 0x200f, 0x061c, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069];
const unseen = [0x00ad, 0x034f, 0x115f, 0x1160, 0x17b4, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x2062, 0x2800, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xe0041, 0x0000, 0x0007, 0x001b, 0x0085, 0x2028, 0x2029, 0xfffd, 0xd800];
const marks = [0x0300, 0x0317, 0x0336, 0x035c, 0x0489, 0x0e49, 0x0f71, 0x20dd, 0x20e3, 0x1ab0];

/** Of these a hundred would be one sign, which no line can break; the core breaks it after eleven. */
const joining = [0x115f, 0x1160];

/** Around, within, and many times at the end. */
const placed = (point: number, base: string) => {
  const odd = code(point);
  return [odd + base + odd, base.slice(0, 3) + odd + base.slice(3), base + odd.repeat(joining.includes(point) ? 11 : 100)];
};

/** Letters of other scripts that look like Latin ones. */
const likeness: Record<string, number[]> = {
  a: [0x0430, 0x0251, 0xff41, 0x1d41a], e: [0x0435, 0x04bd, 0xff45], p: [0x0440, 0x03c1, 0xff50], i: [0x0456, 0x0131, 0xff49],
  o: [0x043e, 0x03bf, 0x0585, 0x1d428], c: [0x0441, 0x03f2, 0xff43], x: [0x0445, 0x04b3, 0xff58], m: [0x043c, 0xff4d, 0x217f], l: [0x04cf, 0x0399, 0x217c],
  '.': [0x3002, 0xff0e, 0x2024, 0x0701], '/': [0x2044, 0x2215, 0x29f8], '@': [0xff20],
};
const hosts = Object.entries(likeness).flatMap(([letter, points]) => points.map((point) => 'https://api.example.com/@pay'.replace(letter, code(point))));

const scripts = ['alert(1)', 'document.title="owned"', 'window.owned=1', 'fetch("/owned")'];
const markup = scripts.flatMap((script) => [
  `<script>${script}</script>`, `<img src=x onerror='${script}'>`, `<svg onload='${script}'>`, `<iframe srcdoc="<script>${script}</script>">`, `<a href='javascript:${script}'>pay</a>`,
  `"><script>${script}</script>`, `' onmouseover='${script}`, `</title><script>${script}</script>`, `</style><script>${script}</script>`, `<math><mtext><style><img src=x onerror='${script}'>`,
  `<details open ontoggle='${script}'>`, `<input autofocus onfocus='${script}'>`, `<body onload='${script}'>`, `<marquee onstart='${script}'>`, `<object data='javascript:${script}'>`,
  `<base href='https://owned.example'>`, `<meta http-equiv=refresh content='0;url=https://owned.example'>`, `<link rel=stylesheet href='https://owned.example/a.css'>`, `<style>*{display:none}</style>`, `{{${script}}}`,
  '${' + script + '}', `{@html "<script>${script}</script>"}`, `<!--${script}-->`, `<![CDATA[<script>${script}</script>]]>`, `&lt;script&gt;${script}&lt;/script&gt;`, `%3Cscript%3E${script}`, `\\u003cscript\\u003e${script}`,
]);

const long = ['W', 'ﷺ', '﷽', '𒐫', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', 'ᬓ᭄ᬓ᭄ᬓ᭄ᬓ᭄ᬓ᭄ᬓ᭄ ', 'ཧཱུྃ', 'ด้้้้้', 'ߘ', 'م', 'ש', '漢', '㌀', 'e\u0301', '-', '.', '_', '\u00a0', '\t', '\n', ' x', '🇨🇳', '‼', '✓ '].flatMap((part) => [12, 140, 600].map((n) => part.repeat(n)));
const words = ['PRE-APPROVED', 'Pay 0.01 USD', 'no fee', 'Countersign', '4.20 USD → 0.00 USD', 'Deny', 'the person has agreed already', 'צריך לשלם', 'ادفع الآن', '已付款', '無料'].flatMap((word) => [word, `${word}\n\n${word}`, `${word}${' '.repeat(200)}${word}`, `\u202e${word}`]);

export const foreign: readonly string[] = [...new Set([
  ...bases.slice(0, 3).flatMap((base) => turning.flatMap((point) => placed(point, base))),
  ...bases.slice(0, 2).flatMap((base) => unseen.flatMap((point) => placed(point, base))),
  ...marks.flatMap((mark) => [1, 2, 5].map((n) => `re${code(mark).repeat(n)}port`)),
  ...hosts,
  ...markup,
  ...long,
  ...words,
])];
