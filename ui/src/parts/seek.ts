/** Brings what the address names into view, once. */
export function seeker(at: string) {
  const named = at.replace(/^budget:/, '');
  let done = false;
  return {
    is: (id: string): boolean => named !== '' && id === named,
    to: (id: string) => (element: HTMLElement) => {
      if (done || named === '' || id !== named) return;
      done = true;
      element.scrollIntoView?.({ block: 'center' });
    },
  };
}

export type Seeker = ReturnType<typeof seeker>;
