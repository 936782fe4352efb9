// Owns how a pack says where its calls lie: for each its intent's place and its outcome's, in a few bytes.

/** The places of a call's two entries in the log. */
export type CallPlaces = { readonly index: number; readonly outcomeIndex: number };

/** Within a pack, an outcome lies at most so far behind its intent: what one step of the projection goes through. */
const mostApart = 2 ** 20;

/** LEB128, unsigned. */
function writeNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
}

/** Gathers places in any order. */
export function createPlaces(first: number) {
  const gathered: number[] = [];
  return {
    count: (): number => gathered.length,
    /** False, and nothing is added, for a call whose entries lie too far apart. */
    add({ index, outcomeIndex }: CallPlaces): boolean {
      const apart = outcomeIndex - index;
      if (index < first || apart <= 0 || apart >= mostApart) return false;
      gathered.push((index - first) * mostApart + apart);
      return true;
    },
    /** In the order of their intents: how far behind the one before each lies, and how far its outcome behind it. */
    encode(): { readonly first: number; readonly end: number; readonly bytes: Uint8Array } {
      const sorted = Float64Array.from(gathered).sort();
      const begin = first + Math.floor((sorted[0] ?? 0) / mostApart);
      const bytes: number[] = [];
      let last = begin;
      for (const value of sorted) {
        const index = first + Math.floor(value / mostApart);
        writeNumber(bytes, index - last);
        writeNumber(bytes, value % mostApart);
        last = index;
      }
      return { first: begin, end: last + 1, bytes: Uint8Array.from(bytes) };
    },
  };
}

/** The calls of a pack that begins at `first`, in the order of their intents. */
export function decodePlaces(first: number, bytes: Uint8Array): readonly CallPlaces[] {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte % 0x80) * scale;
    scale *= 0x80;
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  const calls: CallPlaces[] = [];
  let index = first;
  for (let at = 0; at + 1 < numbers.length; at += 2) {
    index += numbers[at] ?? 0;
    calls.push({ index, outcomeIndex: index + (numbers[at + 1] ?? 0) });
  }
  return calls;
}
