// Owns reading a processor profile: which functions take the time themselves.

export type Hot = { readonly name: string; readonly where: string; readonly share: number };

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

/**
 * The functions with the most self time of a `.cpuprofile`, as shares of the time that was not idle. Times of the
 * same function in several places of the call tree are added.
 */
export function hottest(profile: unknown, count: number): readonly Hot[] {
  const members = fieldsOf(profile);
  const samples = listOf(members.get('samples'));
  const deltas = listOf(members.get('timeDeltas'));
  const micros = new Map<unknown, number>();
  for (const [i, id] of samples.entries()) micros.set(id, (micros.get(id) ?? 0) + Number(deltas[i] ?? 0));
  const byPlace = new Map<string, { readonly name: string; readonly where: string; micros: number }>();
  let busy = 0;
  for (const node of listOf(members.get('nodes')).map(fieldsOf)) {
    const self = micros.get(node.get('id')) ?? 0;
    const place = placeOf(node);
    if (self === 0 || place.name === '(idle)') continue;
    busy += self;
    const key = `${place.name} ${place.where}`;
    const known = byPlace.get(key);
    if (known === undefined) byPlace.set(key, { ...place, micros: self });
    else known.micros += self;
  }
  return [...byPlace.values()]
    .sort((a, b) => b.micros - a.micros)
    .slice(0, count)
    .map(({ name, where, micros: self }) => ({ name, where, share: self / busy }));
}
