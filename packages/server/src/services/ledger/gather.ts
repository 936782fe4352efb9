// Owns sorting what the entries of a step leave: calls for a pack, rows, outcomes of earlier intents, usage, keys' uses.

import { type CallBytes, callBytesOf, intentTimeOf } from '../../stores/call-bytes.ts';
import { type KeyUse, keyUseOf } from '../../stores/entry-actor.ts';
import { createPackBuilder, type PackBuilder } from '../../stores/pack-builder.ts';
import { type Undescribed, undescribed } from '../../stores/record-blocks.ts';
import { type Projected, projectEntry } from '../../stores/record-rows.ts';
import type { RecordRow } from '../../stores/schema.ts';
import type { UsageRow } from '../../stores/usage.ts';
import { addUsageRow } from '../../stores/usage-rows.ts';
import { readWholeCall } from '../../stores/whole-calls.ts';

/** Calls that are whole in one step at least, for a pack of them: of fewer each is a row. */
const leastPacked = 16;
const minuteMs = 60_000;

type Intent = Extract<CallBytes, { readonly phase: 'intent' }>;

/** An intent that waits for its outcome: as bytes, which cost nothing while they wait. */
type Open = Intent & { readonly index: number; readonly entry: Buffer };
type Whole = Open & { readonly outcomeIndex: number; readonly outcome: Buffer };

type Late = {
  readonly intent: string;
  readonly outcomeIndex: number;
  readonly status: string;
  readonly outcome: string;
};

/**
 * What is to be written. INVARIANT: what is made of an entry is written, and let go, as soon as it is whole: what
 * outlives a few collections of young memory is collected with the whole heap, which halts calls.
 */
export type Ready = {
  readonly rows: readonly RecordRow[];
  /** Outcomes of intents that came before the step. */
  readonly late: readonly Late[];
  readonly usage: readonly UsageRow[];
};

type Row = Extract<Projected, { readonly kind: 'row' }>;

/** What a step has left so far. */
export type Gathered = {
  readonly open: Map<string, Open>;
  /** Calls that are whole, until there are enough for a pack. */
  readonly few: Whole[];
  isPacking: boolean;
  readonly packed: PackBuilder;
  /** The minutes of keys' uses that are written. */
  readonly noted: ReadonlyMap<string, number>;
  /** The actor of each row, of all that were taken. */
  readonly actors: Undescribed[];
  /** The minute in which each key was last used, where that is not noted yet. */
  readonly uses: Map<string, number>;
  /** Calls of which something is to be written. */
  due: number;
  rows: RecordRow[];
  late: Late[];
  usage: Map<string, UsageRow>;
};

/** Nothing yet, of the entries from place `first` on. */
export function nothing(first: number, noted: ReadonlyMap<string, number>): Gathered {
  return {
    open: new Map(),
    few: [],
    isPacking: false,
    packed: createPackBuilder(first),
    noted,
    actors: [],
    uses: new Map(),
    due: 0,
    rows: [],
    late: [],
    usage: new Map(),
  };
}

/** A busy key is written once a minute, not once a step. Intents that still wait come last, and may be the oldest. */
function noteUse({ noted, uses }: Gathered, use: KeyUse | undefined): void {
  if (use === undefined) return;
  const minute = Math.floor(use.atMs / minuteMs) * minuteMs;
  const latest = uses.get(use.keyId) ?? noted.get(use.keyId);
  if (latest === undefined || minute > latest) uses.set(use.keyId, minute);
}

function addRow(gathered: Gathered, { row, use }: Row): void {
  gathered.due += 1;
  gathered.actors.push(undescribed(row));
  gathered.rows.push(row);
  noteUse(gathered, use);
}

/** Any entry but an intent that may still be whole in this step. An outcome completes `begun`, if that is there. */
function addText(gathered: Gathered, index: number, text: string, begun?: Row): void {
  const made = projectEntry(index, text);
  if (made.kind === 'row') {
    addRow(gathered, made);
    return;
  }
  const { intent, status, outcome } = made;
  if (made.usage !== undefined) addUsageRow(gathered.usage, made.usage);
  if (begun !== undefined) {
    addRow(gathered, { ...begun, row: { ...begun.row, outcome_index: index, status, outcome } });
    return;
  }
  gathered.due += 1;
  gathered.late.push({ intent, outcomeIndex: index, status, outcome });
}

function addWholeRow(gathered: Gathered, { index, entry, outcomeIndex, outcome }: Whole): void {
  const begun = projectEntry(index, entry.toString('utf8'));
  addText(gathered, outcomeIndex, outcome.toString('utf8'), begun.kind === 'row' ? begun : undefined);
}

function addPacked(gathered: Gathered, whole: Whole, ts: string): void {
  const call = readWholeCall(whole.outcome.toString('utf8'));
  if (!gathered.packed.add(whole, { id: whole.id, ts }, call)) {
    addWholeRow(gathered, whole);
    return;
  }
  gathered.due += 1;
  if (call.usage !== undefined) addUsageRow(gathered.usage, call.usage);
  noteUse(gathered, keyUseOf(call.actor, Date.parse(ts)));
}

function addWhole(gathered: Gathered, whole: Whole): void {
  const { few } = gathered;
  const ts = whole.isAllowed ? intentTimeOf(whole.entry) : undefined;
  if (ts === undefined) addWholeRow(gathered, whole);
  else if (gathered.isPacking) addPacked(gathered, whole, ts);
  else few.push(whole);
  if (few.length < leastPacked) return;
  gathered.isPacking = true;
  for (const one of few.splice(0)) addWhole(gathered, one);
}

/** Adds the entry at this place. Its bytes are kept, where they are, while its call is not whole. */
export function gather(gathered: Gathered, index: number, entry: Buffer): void {
  const call = callBytesOf(entry);
  if (call?.phase === 'intent') {
    gathered.open.set(call.id, { ...call, index, entry });
    return;
  }
  const begun = call && gathered.open.get(call.id);
  if (begun === undefined) {
    addText(gathered, index, entry.toString('utf8'));
    return;
  }
  gathered.open.delete(begun.id);
  addWhole(gathered, { ...begun, outcomeIndex: index, outcome: entry });
}

/** What still waits after the last entry becomes rows, one with each turn. */
export function* gatherRest(gathered: Gathered): Generator<void> {
  for (const whole of gathered.few.splice(0)) {
    addWholeRow(gathered, whole);
    yield;
  }
  for (const { index, entry } of gathered.open.values()) {
    addText(gathered, index, entry.toString('utf8'));
    yield;
  }
}

/** Takes what is to be written out. */
export function takeReady(gathered: Gathered): Ready {
  const { rows, late, usage } = gathered;
  gathered.due = 0;
  gathered.rows = [];
  gathered.late = [];
  gathered.usage = new Map();
  return { rows, late, usage: [...usage.values()] };
}
