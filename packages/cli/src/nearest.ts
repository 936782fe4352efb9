// Owns the guess at a mistyped verb or flag.

/** How many letters must be put in, taken out or exchanged to make `a` of `b`. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The known word nearest to a mistyped one, if it is near enough to be meant. */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const short = typed.slice(0, 60).toLowerCase();
  const [best] = known
    .map((word) => ({ word, steps: distance(short, word) }))
    .sort((a, b) => a.steps - b.steps);
  return best !== undefined && best.steps <= Math.max(2, short.length / 3) ? best.word : undefined;
}
