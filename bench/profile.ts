// Owns reading a processor profile: which functions take the time themselves.

export type Hot = {
  /** Of the thread's time that was not idle. */ readonly name: string;
  readonly where: string;
  readonly share: number;
};

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function placeOf(node: ReadonlyMap<string, unknown>): { readonly name: string; readonly where: string } {
  const frame = fieldsOf(node.get('callFrame'));
  const url = String(frame.get('url') ?? '').replace(/^.*\/(?=(packages|node_modules|bench)\/)/, '');
  const line = Number(frame.get('lineNumber') ?? -1) + 1;
  const name = String(frame.get('functionName') ?? '');
  return { name: name === '' ? '(anonymous)' : name, where: url === '' ? '' : `${url}:${line}` };
}

type Timed = { readonly node: ReadonlyMap<string, unknown>; readonly micros: number };

/** Nodes with the time that each took itself. */
function timesOf(profile: unknown): readonly Timed[] {
  const members = fieldsOf(profile);
  const deltas = listOf(members.get('timeDeltas'));
  const micros = new Map<unknown, number>();
  for (const [i, id] of listOf(members.get('samples')).entries())
    micros.set(id, (micros.get(id) ?? 0) + Number(deltas[i] ?? 0));
  return listOf(members.get('nodes'))
    .map(fieldsOf)
    .map((node) => ({ node, micros: micros.get(node.get('id')) ?? 0 }));
}

const isIdle = ({ node }: Timed): boolean => placeOf(node).name === '(idle)';
const sum = (times: readonly Timed[]): number => times.reduce((total, { micros }) => total + micros, 0);

/** Which part of the profiled time a thread was not idle. It may have waited for a processor meanwhile. */
export function busyShare(profile: unknown): number {
  const times = timesOf(profile);
  return 1 - sum(times.filter(isIdle)) / sum(times);
}

/**
 * The functions with the most self time of a processor profile. Times of the same function in several places of
 * the call tree are added.
 */
export function hottest(profile: unknown, count: number): readonly Hot[] {
  const times = timesOf(profile).filter((timed) => !isIdle(timed) && timed.micros > 0);
  const busy = sum(times);
  const byPlace = new Map<string, { readonly name: string; readonly where: string; micros: number }>();
  for (const { node, micros } of times) {
    const place = placeOf(node);
    const key = `${place.name} ${place.where}`;
    const known = byPlace.get(key);
    if (known === undefined) byPlace.set(key, { ...place, micros });
    else known.micros += micros;
  }
  return [...byPlace.values()]
    .sort((a, b) => b.micros - a.micros)
    .slice(0, count)
    .map(({ name, where, micros }) => ({ name, where, share: micros / busy }));
}
