// Owns how long a test goes on, what it tells on its way, and the line of figures that the benchmark reads.

const isLong = process.env.COUNTERSIGN_LONG === '1';

/** A count of its own, by the variable of that name; else `long` in the long mode and `short` in every other run. */
export function countOf(variable: string, short: number, long: number): number {
  const given = process.env[variable];
  if (given === undefined) return isLong ? long : short;
  const count = Number(given);
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`${variable} must be a whole number above 0`);
  return count;
}

/** Tells how far a long run has come; a short one says nothing. */
export function tellProgress(text: string): void {
  if (isLong) process.stderr.write(`${text}\n`);
}

/** The line that `npm run bench -- --faults` looks for in what a test prints. */
export function figuresLine(name: string, figures: Readonly<Record<string, number>>): string {
  return JSON.stringify({ figures: name, ...figures });
}
