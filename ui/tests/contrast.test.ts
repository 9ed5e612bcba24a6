import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync('src/styles/tokens.css', 'utf8');
const [light, dark] = css.split('@media').map((part) => Object.fromEntries([...part.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1], m[2]] as [string, string])));

/** WCAG 2.2 relative luminance of `#rrggbb`. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dim, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (bright + 0.05) / (dim + 0.05);
}

const text = [
  ...['ink', 'soft', 'accent', 'bad', 'warn'].flatMap((ink) => [[ink, 'paper'], [ink, 'card']]),
  ['ink', 'track'], ['good', 'good-tint'], ['warn', 'warn-tint'], ['bad', 'bad-tint'], ['accent-ink', 'accent'], ['ink', 'accent-tint'], ['soft', 'accent-tint'],
] as [string, string][];
const shapes = [['edge', 'card'], ['edge', 'paper'], ['good', 'card'], ['good', 'paper'], ['accent', 'track'], ['bad', 'track'], ...['1', '2', '3', '4', '5', '6'].map((n) => [`hue-${n}`, 'card'])] as [string, string][];

test.each([['light', light], ['dark', dark]] as const)('%s: text is at least 4.5:1, shapes that matter 3:1', (_, tokens) => {
  const colour = (name: string) => tokens?.[name] ?? '#none';
  for (const [ink, ground] of text) expect(contrast(colour(ink), colour(ground)), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  for (const [ink, ground] of shapes) expect(contrast(colour(ink), colour(ground)), `${ink} on ${ground}`).toBeGreaterThanOrEqual(3);
});
