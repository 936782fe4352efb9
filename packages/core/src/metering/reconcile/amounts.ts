// Owns what is compared with a provider's bill: requests and tokens, summed without end.

/**
 * `input` is all that went in; `cached` and `cacheWrite` are parts of it: read from the provider's cache, and written
 * to it for any time. `output` is all that came out, thoughts too.
 */
export const measures = ['requests', 'input', 'cached', 'cacheWrite', 'output'] as const;

export type Measure = (typeof measures)[number];

export type Amounts = { readonly [M in Measure]: bigint };

/** What a bill says: some leave measures out, which is not zero. */
export type Told = { readonly [M in Measure]?: bigint | undefined };

export const nothing: Amounts = { requests: 0n, input: 0n, cached: 0n, cacheWrite: 0n, output: 0n };

/** The sum, measure by measure. */
export function plus(a: Amounts, b: Amounts): Amounts {
  return {
    requests: a.requests + b.requests,
    input: a.input + b.input,
    cached: a.cached + b.cached,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
  };
}

/** The sum of what two lines tell; a measure that one of them leaves out is told by neither. */
export function plusTold(a: Told, b: Told): Told {
  const sum = (measure: Measure): bigint | undefined => {
    const [x, y] = [a[measure], b[measure]];
    return x === undefined || y === undefined ? undefined : x + y;
  };
  return {
    requests: sum('requests'),
    input: sum('input'),
    cached: sum('cached'),
    cacheWrite: sum('cacheWrite'),
    output: sum('output'),
  };
}

/** The larger, measure by measure. */
export function larger(a: Amounts, b: Amounts): Amounts {
  const most = (x: bigint, y: bigint): bigint => (x > y ? x : y);
  return {
    requests: most(a.requests, b.requests),
    input: most(a.input, b.input),
    cached: most(a.cached, b.cached),
    cacheWrite: most(a.cacheWrite, b.cacheWrite),
    output: most(a.output, b.output),
  };
}
