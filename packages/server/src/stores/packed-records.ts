// Owns reading records out of packs: their rows are made from the entries in the log, when somebody asks.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OrgId } from '@countersign/core/ids';
import { decodeBundle } from '@countersign/core/ledger/tile';
import { callBytesOf } from './call-bytes.ts';
import { lostEntries, readBundles } from './entries.ts';
import { leastIndex } from './log-places.ts';
import { type CallPlaces, decodePlaces } from './pack-places.ts';
import type { Span } from './record-blocks.ts';
import { fits, neededTexts, type RecordFilter } from './record-filter.ts';
import { listPacks, type PackPlaces, packsBetween, packsOf } from './record-packs.ts';
import { type Projected, projectEntry } from './record-rows.ts';
import type { RecordRow, Store } from './schema.ts';

/** Packs that are looked up at a time. */
const page = 8;

type Call = CallPlaces & { readonly intent: Buffer; readonly outcome: Buffer };

/** The calls of a pack with their entries, in the order of the log. Throws `ledger_unavailable` where one is missing. */
async function readCalls(
  store: Store,
  orgId: OrgId,
  { first_index: first, places }: PackPlaces,
): Promise<readonly Call[]> {
  const calls = decodePlaces(first, places);
  const end = calls.reduce((most, { outcomeIndex }) => Math.max(most, outcomeIndex + 1), first);
  const entries: Uint8Array[] = [];
  let begin = first;
  // Each bundle holds one entry at least, so that many bundles hold them all.
  for (const bundle of await readBundles(store, orgId, first, end, end - first + 1)) {
    if (entries.length === 0) begin = bundle.firstIndex;
    // INVARIANT: entries are told by their places: behind a bundle that is lost, each would stand for another.
    if (bundle.firstIndex !== begin + entries.length) throw lostEntries();
    entries.push(...decodeBundle(bundle.bytes).entries);
  }
  const at = (index: number): Buffer => {
    const entry = entries[index - begin];
    if (entry === undefined) throw lostEntries();
    return Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  };
  return calls.map((call) => ({ ...call, intent: at(call.index), outcome: at(call.outcomeIndex) }));
}

/** Throws `ledger_unavailable` for an entry that cannot be read any more. */
function projectedOf(index: number, entry: Buffer): Projected {
  try {
    return projectEntry(index, entry.toString('utf8'));
  } catch (error) {
    throw lostEntries(error);
  }
}

function rowOf({ index, intent, outcomeIndex, outcome }: Call): RecordRow {
  const begun = projectedOf(index, intent);
  const ended = projectedOf(outcomeIndex, outcome);
  if (begun.kind !== 'row' || ended.kind !== 'outcome' || ended.intent !== begun.row.id) throw lostEntries();
  return { ...begun.row, outcome_index: outcomeIndex, status: ended.status, outcome: ended.outcome };
}

/**
 * Records in packs of one part of the log, newest first. INVARIANT: here and below, others have a turn after each pack:
 * the embedded store answers at once, and a question that many packs may fit reads as much as they hold.
 */
export async function listPacked(
  store: Store,
  orgId: OrgId,
  filter: RecordFilter,
  span: Span,
  limit: number,
): Promise<readonly RecordRow[]> {
  const needed = neededTexts(filter);
  const rows: RecordRow[] = [];
  for (let below = span.end; ; ) {
    const packs = await listPacks(store, orgId, filter, { first: span.first, end: below }, page);
    for (const pack of packs) {
      const calls = await readCalls(store, orgId, pack);
      for (const call of calls.toReversed()) {
        if (call.index >= span.end || call.index < span.first) continue;
        if (!needed.every((text) => call.intent.includes(text))) continue;
        const row = rowOf(call);
        if (fits(row, filter)) rows.push(row);
        if (rows.length >= limit) return rows;
      }
      await nextTurn();
    }
    const last = packs.at(-1);
    if (last === undefined || packs.length < page) return rows;
    below = last.first_index;
  }
}

/** The newest record in a pack with this id, or with this id of its request. */
export async function findPacked(store: Store, orgId: OrgId, id: string): Promise<RecordRow | undefined> {
  const text = Buffer.from(`"${id}"`, 'utf8');
  for (const pack of await packsOf(store, orgId, id)) {
    const calls = await readCalls(store, orgId, pack);
    for (const call of calls.toReversed()) {
      if (!call.intent.includes(text)) continue;
      const row = rowOf(call);
      if (row.id === id || row.request_id === id) return row;
    }
    await nextTurn();
  }
  return undefined;
}

/** Which of these intents are in packs, and so have an outcome. */
export async function listPackedIntents(
  store: Store,
  orgId: OrgId,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const wanted = new Set(ids);
  const found = new Set<string>();
  const sorted = [...wanted].sort();
  const [least = '', most = least] = [sorted[0], sorted.at(-1)];
  for (let first = leastIndex; ; ) {
    const packs = await packsBetween(store, orgId, { least, most }, first, page);
    for (const pack of packs) {
      // One that lies between ids that are far apart holds none of them.
      if (!sorted.some((id) => id >= pack.first_id && id <= pack.last_id)) continue;
      for (const { intent } of await readCalls(store, orgId, pack)) {
        const known = callBytesOf(intent);
        if (known !== undefined && wanted.has(known.id)) found.add(known.id);
      }
      await nextTurn();
    }
    const last = packs.at(-1);
    if (last === undefined || packs.length < page) return found;
    first = last.first_index + 1;
  }
}
