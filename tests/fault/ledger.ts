// Owns reading the ledger through the API as an auditor does, and the claims that hold after any fault.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { type CallIntent, type CallOutcome, decodeEntry } from '@countersign/core/ledger/entry';
import {
  decodeBundle,
  encodeBundle,
  entriesLevel,
  tileAt,
  tilePath,
  tileWidth,
} from '@countersign/core/ledger/tile';
import { verifyDirectory } from '@countersign/sdk/ledger/verify-directory';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { textAt } from '../support/server.ts';
import type { Bed } from './bed.ts';

export type Calls = {
  /** Intents that let a call go, by their id. */
  readonly intents: ReadonlyMap<string, CallIntent>;
  /** Outcomes by the id of their intent. */
  readonly outcomes: ReadonlyMap<string, readonly CallOutcome[]>;
  /** Ids of intents by the marker in their tags. */
  readonly byMarker: ReadonlyMap<string, readonly string[]>;
  readonly size: number;
};

/** Follows a growing log: what was read once is not fetched again. */
export type LedgerReader = { readonly read: () => Promise<Calls>; readonly verify: () => Promise<number> };

function isMarker(tag: string): boolean {
  return tag.startsWith('marker-');
}

/** The entries from `from` to before `size`, out of the tiles that a log of that size has. */
async function entriesBetween(
  bed: Pick<Bed, 'fetchBytes'>,
  from: number,
  size: number,
): Promise<readonly Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (let index = Math.floor(from / tileWidth); index * tileWidth < size; index += 1) {
    const tile = tileAt(size, entriesLevel, index);
    assert.ok(tile !== undefined);
    const path = tilePath(tile).slice('tile/'.length);
    const bundle = decodeBundle(await bed.fetchBytes(`/ledger/tile/${encodeURIComponent(path)}`));
    assert.equal(bundle.torn, false);
    found.push(...bundle.entries.slice(Math.max(from - index * tileWidth, 0)));
  }
  return found;
}

/** Reads the log of a bed's organization, whichever process serves it at the time. */
export function readLedger(bed: Pick<Bed, 'fetchText' | 'fetchBytes'>): LedgerReader {
  const entries: Uint8Array[] = [];
  const intents = new Map<string, CallIntent>();
  const outcomes = new Map<string, CallOutcome[]>();
  const byMarker = new Map<string, string[]>();
  let checkpoint = '';
  let vkey = '';

  function take(bytes: Uint8Array): void {
    const decoded = decodeEntry(Buffer.from(bytes).toString('utf8'));
    assert.ok(decoded.ok, 'an entry of the log cannot be read');
    const { entry } = decoded;
    if (!('phase' in entry)) return;
    if (entry.phase === 'outcome') {
      outcomes.set(entry.intent, [...(outcomes.get(entry.intent) ?? []), entry]);
      return;
    }
    if (entry.status !== undefined) return;
    intents.set(entry.id, entry);
    const tags = textsAt(entry.ctx, 'claimed', 'tags').filter(isMarker);
    for (const tag of tags) {
      const marker = tag.slice('marker-'.length);
      byMarker.set(marker, [...(byMarker.get(marker) ?? []), entry.id]);
    }
  }

  async function read(): Promise<Calls> {
    const answer: unknown = JSON.parse(await bed.fetchText('/ledger/checkpoint'));
    checkpoint = textAt(answer, 'checkpoint');
    vkey = textAt(answer, 'verifierKey');
    const size = parseSignedCheckpoint(checkpoint)?.checkpoint.size ?? 0;
    for (const bytes of await entriesBetween(bed, entries.length, size)) {
      entries.push(bytes);
      take(bytes);
    }
    assert.equal(entries.length, size, 'the log has as many entries as its checkpoint says');
    return { intents, outcomes, byMarker, size };
  }

  /** Writes an export and verifies it offline; gives its size. */
  async function verify(): Promise<number> {
    await read();
    const directory = join(mkdtempSync(join(tmpdir(), 'countersign-export-')), 'log');
    try {
      await writeExport(directory, { vkey, checkpoint, bundles: [encodeBundle(entries)] });
      const verified = await verifyDirectory(directory, { vkey });
      assert.ok(verified.ok, JSON.stringify(verified));
      return verified.size;
    } finally {
      rmSync(join(directory, '..'), { recursive: true, force: true });
    }
  }

  return { read, verify };
}

/**
 * The log once every call in it has its outcome. The wait is counted from when all of a long log has been read once:
 * the first reading of ten thousands of entries takes seconds, and shows the log as it was when it began.
 */
export async function settledCalls(bed: Pick<Bed, 'fetchText' | 'fetchBytes'>): Promise<Calls> {
  const ledger = readLedger(bed);
  let calls = await ledger.read();
  const begun = performance.now();
  while (calls.outcomes.size < calls.intents.size && performance.now() - begun < 15_000) {
    await sleep(50);
    calls = await ledger.read();
  }
  return calls;
}

/** The texts of a list inside of a value whose shape the test does not know. */
function textsAt(value: unknown, ...path: readonly string[]): readonly string[] {
  let current: unknown = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return [];
    current = Object.getOwnPropertyDescriptor(current, name)?.value;
  }
  if (!Array.isArray(current)) return [];
  const items: readonly unknown[] = current;
  return items.filter((item) => typeof item === 'string');
}

function hasIntents(calls: Calls, marker: string, times: number): boolean {
  return times <= (calls.byMarker.get(marker)?.length ?? 0);
}

/** An outcome of its own is not the `unknown` with which a later start closes an orphan. */
function hasOwnOutcome(calls: Calls, marker: string): boolean {
  const own = calls.byMarker.get(marker) ?? [];
  return own.some((id) => calls.outcomes.get(id)?.some(({ status }) => status !== 'unknown') === true);
}

/** How many calls the log has lost: dispatched without an intent, or answered without an outcome of their own. */
export function countLost(
  calls: Calls,
  dispatched: ReadonlyMap<string, number>,
  answered: Iterable<string>,
): number {
  const unintended = [...dispatched].filter(([marker, times]) => !hasIntents(calls, marker, times));
  return unintended.length + [...answered].filter((marker) => !hasOwnOutcome(calls, marker)).length;
}

/** P3: whatever reached the provider has its own durable intent, attempt by attempt. */
export function assertDispatchedHaveIntents(calls: Calls, dispatched: ReadonlyMap<string, number>): void {
  for (const [marker, times] of dispatched) {
    const own = calls.byMarker.get(marker)?.length ?? 0;
    assert.ok(
      hasIntents(calls, marker, times),
      `\`${marker}\` reached the provider ${times} times with ${own} intents`,
    );
  }
}

/** P3: whatever was answered to its terminal byte has its intent and its outcome. */
export function assertAnsweredHaveOutcomes(calls: Calls, answered: Iterable<string>): void {
  for (const marker of answered) {
    const own = calls.byMarker.get(marker) ?? [];
    assert.ok(own.length > 0, `\`${marker}\` was answered and has no intent`);
    assert.ok(hasOwnOutcome(calls, marker), `\`${marker}\` was answered and has no outcome of its own`);
  }
}

/** No row is missing, and none is there twice. */
export function assertNoOrphans(calls: Calls): void {
  for (const id of calls.intents.keys())
    assert.equal(calls.outcomes.get(id)?.length, 1, `intent \`${id}\` has one outcome`);
  for (const id of calls.outcomes.keys()) assert.ok(calls.intents.has(id), `outcome of an unknown \`${id}\``);
}

/** The one outcome of a marker that was asked once. */
export function outcomeOf(calls: Calls, marker: string): CallOutcome {
  const [id = ''] = calls.byMarker.get(marker) ?? [];
  const [outcome] = calls.outcomes.get(id) ?? [];
  assert.ok(outcome !== undefined, `\`${marker}\` has no outcome`);
  return outcome;
}
