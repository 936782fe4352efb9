// Owns reading what the load generator prints: one JSON line, checked member by member.

export type LoadResult = {
  /** Requests that count: sent and answered within the measured time. */
  readonly n: number;
  /** Answers since the generator's start, warm-up included. */
  readonly total: number;
  readonly requestsPerSecond: number;
  readonly errors: number;
  readonly notOk: number;
  /** The last status that was not 2xx; 0: none. */
  readonly lastBad: number;
  /** Open loop only: what could not be sent in time, and what was never answered. */
  readonly unsent: number;
  readonly unfinished: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly firstByteP50: number;
  readonly firstByteP99: number;
  readonly eventsPerSecond: number;
};

function membersOf(value: unknown, where: string): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null)
    throw new Error(`the load generator left \`${where}\` out`);
  return new Map<string, unknown>(Object.entries(value));
}

function numberOf(members: ReadonlyMap<string, unknown>, name: string): number {
  const value = members.get(name);
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new Error(`the load generator printed no number \`${name}\``);
  return value;
}

/** Reads the generator's line. Throws an Error that names what is missing. */
export function parseLoadResult(text: string): LoadResult {
  const parsed: unknown = JSON.parse(text);
  const all = membersOf(parsed, 'everything');
  const us = membersOf(all.get('us'), 'us');
  const firstByte = membersOf(all.get('ttfb_us'), 'ttfb_us');
  return {
    n: numberOf(all, 'n'),
    total: numberOf(all, 'total'),
    requestsPerSecond: numberOf(all, 'rps'),
    errors: numberOf(all, 'errs'),
    notOk: numberOf(all, 'non2xx'),
    lastBad: numberOf(all, 'bad'),
    unsent: numberOf(all, 'unsent'),
    unfinished: numberOf(all, 'unfinished'),
    p50: numberOf(us, 'p50'),
    p95: numberOf(us, 'p95'),
    p99: numberOf(us, 'p99'),
    firstByteP50: numberOf(firstByte, 'p50'),
    firstByteP99: numberOf(firstByte, 'p99'),
    eventsPerSecond: numberOf(all, 'events_s'),
  };
}
