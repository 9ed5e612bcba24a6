/** Which money is on screen, real or test: chosen once for every page. A view only; no rule knows of it. */
let test = $state(false);

export const looksAtTest = (): boolean => test;

export function lookAt(wanted: boolean) {
  test = wanted;
}
