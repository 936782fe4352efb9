// Owns the ids that were seen in a log, in a form that takes some sixty bytes each.

/** One set may hold 2^24 members; sixteen of them hold more than any export has. */
const shards = 16;

export type SeenIds = {
  /** True the first time that this id is given. */
  readonly add: (id: string) => boolean;
};

/** A UUID's 128 bits as eight UTF-16 units. */
function packed(id: string): string {
  const hex = id.replaceAll('-', '');
  const units: number[] = [];
  for (let at = 0; at < 32; at += 4) units.push(Number.parseInt(hex.slice(at, at + 4), 16));
  return String.fromCharCode(...units);
}

/** No id was seen yet. They must be UUIDs, as a decoded entry's are. */
export function noSeenIds(): SeenIds {
  const sets = Array.from({ length: shards }, () => new Set<string>());
  return {
    add: (id) => {
      const set = sets[Number.parseInt(id.slice(-1), 16)];
      const key = packed(id);
      if (set === undefined || set.has(key)) return false;
      set.add(key);
      return true;
    },
  };
}
