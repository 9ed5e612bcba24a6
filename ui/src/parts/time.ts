/** A UTC time of the core in this computer's zone, in figures that read the same in every language; other text as it is. */
export function local(when: string): string {
  const time = new Date(when);
  if (Number.isNaN(time.getTime())) return when;
  const two = (part: number) => String(part).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
