// Owns the arithmetic of the benchmark: medians, spreads, ratios within a round, and the slope of a line.

/** The middle of several rounds, and the least and greatest of them. */
export type Spread = {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
};

/** The value at rank `p` (0 to 1) of numbers in any order; NaN for none. The rank is rounded down. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Median, least and greatest; undefined for none. What is not finite (a round without a sample) is left out. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.length === 0) return undefined;
  return {
    median: median(finite),
    min: Math.min(...finite),
    max: Math.max(...finite),
    count: finite.length,
  };
}

/**
 * Combines two series round by round. Machines drift, so only numbers of the same round may meet; rounds that
 * lack one of the two are left out.
 */
export function pairwise(
  a: readonly (number | undefined)[],
  b: readonly (number | undefined)[],
  combine: (a: number, b: number) => number,
): readonly number[] {
  return a.flatMap((left, round) => {
    const right = b[round];
    return left === undefined || right === undefined ? [] : [combine(left, right)];
  });
}

/** `a / b`, round by round. */
export function ratios(
  a: readonly (number | undefined)[],
  b: readonly (number | undefined)[],
): readonly number[] {
  return pairwise(a, b, (left, right) => left / right);
}

export type Point = { readonly x: number; readonly y: number };

/** The slope of the least-squares line, in y per x; 0 for fewer than two points or one x. */
export function slope(points: readonly Point[]): number {
  const n = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  const over = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const under = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return under === 0 || Number.isNaN(under) ? 0 : over / under;
}
