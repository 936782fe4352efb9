// Owns what the bytes of an entry tell of a call, without a text made of them: its phase, its intent, its time.
// Quotes within strings are escaped, so what is looked for here are members, in their canonical order.

const idLength = 36;
/** `log` is the member behind an intent's `id`, and behind an outcome's `intent`. */
const beforeLog = Buffer.from('","log":"');
const id = Buffer.from('"id":"');
const intent = Buffer.from('"intent":"');
const intentDecided = Buffer.from('"phase":"intent","policy":{"decision":"');
const allowed = Buffer.from('allow"');
const timeLength = 24;
const beforeTime = '"ts":"';
const afterTime = '","type":"model_call","v":1}';

/** What an entry is of a call. `id` is the intent's, of an outcome too. */
export type CallBytes =
  | { readonly phase: 'intent'; readonly id: string; readonly isAllowed: boolean }
  | { readonly phase: 'outcome'; readonly id: string };

function standsAt(entry: Buffer, at: number, bytes: Buffer): boolean {
  return at >= 0 && entry.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0;
}

/** Of what call an entry is; undefined where its bytes do not show it, as those of what is no call. */
export function callBytesOf(entry: Buffer): CallBytes | undefined {
  const end = entry.indexOf(beforeLog);
  const at = end - idLength;
  if (standsAt(entry, at - intent.length, intent))
    return { phase: 'outcome', id: entry.toString('latin1', at, end) };
  if (!standsAt(entry, at - id.length, id)) return undefined;
  const decided = entry.indexOf(intentDecided, end);
  if (decided < 0) return undefined;
  return {
    phase: 'intent',
    id: entry.toString('latin1', at, end),
    isAllowed: standsAt(entry, decided + intentDecided.length, allowed),
  };
}

/** When a model call's intent was made (RFC 3339, UTC, milliseconds); undefined for any other entry. */
export function intentTimeOf(entry: Buffer): string | undefined {
  const tail = entry.toString(
    'latin1',
    entry.length - beforeTime.length - timeLength - afterTime.length,
    entry.length,
  );
  const end = beforeTime.length + timeLength;
  if (!tail.startsWith(beforeTime) || !tail.startsWith(afterTime, end)) return undefined;
  return tail.slice(beforeTime.length, end);
}
