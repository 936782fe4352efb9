// Owns the closing of intents that a crash left open: their outcome is unknown, their cost what was reserved.

import type { EntryId } from '@countersign/core/ids';
import { isId, type OrgId } from '@countersign/core/ids';
import { type CallIntent, decodeEntry, type Entry, encodeEntry } from '@countersign/core/ledger/entry';
import { decodeBundle, encodeBundle } from '@countersign/core/ledger/tile';
import type { Kysely } from 'kysely';
import { readBundles } from '../../stores/entries.ts';
import { listHeads } from '../../stores/heads.ts';
import { listOpen, listOrphans } from '../../stores/records.ts';
import type { Tables } from '../../stores/schema.ts';
import type { Committer } from './committer.ts';
import type { OwedOutcome } from './owed.ts';
import type { Projector } from './projector.ts';

export type OrphanDeps = {
  readonly db: Kysely<Tables>;
  readonly committer: Committer;
  readonly projector: Projector;
  readonly newEntryId: () => EntryId;
  readonly now: () => number;
  readonly node: string;
  readonly boot: string;
};

/** The outcome that closes an orphan. INVARIANT: it charges the reservation, so that no crash makes budgets larger. */
export function orphanOutcome(
  intent: CallIntent,
  made: { readonly id: EntryId; readonly nowMs: number; readonly node: string; readonly boot: string },
): Entry {
  const { policy: _policy, ctx: _ctx, reserved, status: _status, content: _content, ...kept } = intent;
  return {
    ...kept,
    id: made.id,
    ts: new Date(made.nowMs).toISOString(),
    node: made.node,
    boot: made.boot,
    phase: 'outcome',
    intent: intent.id,
    status: 'unknown',
    err: { code: 'orphaned' },
    ...(reserved === undefined
      ? {}
      : { usage: { ...reserved, in: reserved.in ?? 0, out: reserved.out ?? 0, source: 'estimated' } }),
  };
}

async function intentAt(db: Kysely<Tables>, orgId: OrgId, index: number): Promise<CallIntent | undefined> {
  const [bundle] = await readBundles(db, orgId, index, index + 1, 1);
  if (bundle === undefined) return undefined;
  const bytes = decodeBundle(bundle.bytes).entries[index - bundle.firstIndex];
  if (bytes === undefined) return undefined;
  const decoded = decodeEntry(Buffer.from(bytes).toString('utf8'));
  return decoded.ok && 'phase' in decoded.entry && decoded.entry.phase === 'intent'
    ? decoded.entry
    : undefined;
}

const step = 200;

async function closeOf(deps: OrphanDeps, orgId: OrgId): Promise<number> {
  // INVARIANT: the last commit of a process that has died may still be under way on PostgreSQL, and holds the head.
  await deps.committer.withLog(orgId, async () => {});
  await deps.projector.drain(orgId);
  let closed = 0;
  for (;;) {
    const rows = await listOrphans(deps.db, orgId, deps.boot, step);
    if (rows.length === 0) return closed;
    const entries: Uint8Array[] = [];
    for (const row of rows) {
      const intent = await intentAt(deps.db, orgId, row.entry_index);
      if (intent === undefined) continue;
      const made = { id: deps.newEntryId(), nowMs: deps.now(), node: deps.node, boot: deps.boot };
      entries.push(Buffer.from(encodeEntry(orphanOutcome(intent, made)), 'utf8'));
    }
    if (entries.length === 0) return closed;
    const versions = entries.map(() => -1);
    await deps.committer.commit([
      { orgId, bundle: encodeBundle(entries), versions, sidecars: [], objects: [] },
    ]);
    closed += entries.length;
    await deps.committer.settle();
    await deps.projector.drain(orgId);
  }
}

/** Closes every orphan of former runs of the process, in every log. Returns how many there were. */
export async function closeOrphans(deps: OrphanDeps): Promise<number> {
  let closed = 0;
  for (const head of await listHeads(deps.db)) {
    if (isId('org', head.org_id)) closed += await closeOf(deps, head.org_id);
  }
  return closed;
}

/**
 * Commits the owed outcomes whose intents are in the log and open. Returns how many there were. Runs where commits
 * run, one at a time, so that what is open stays so until the commit.
 */
export async function closeOwed(
  deps: Pick<OrphanDeps, 'db' | 'committer' | 'projector'>,
  orgId: OrgId,
  owed: readonly OwedOutcome[],
): Promise<number> {
  // INVARIANT: a commit that was given up may still be under way on PostgreSQL, and holds the head until it ends.
  // Whoever looks only after having held the head sees what became of it.
  await deps.committer.withLog(orgId, async () => {});
  await deps.projector.drain(orgId);
  const open = await listOpen(
    deps.db,
    orgId,
    owed.map(({ intent }) => intent),
  );
  const due = owed.filter(({ intent }) => open.has(intent));
  if (due.length === 0) return 0;
  const bundle = encodeBundle(due.map(({ text }) => Buffer.from(text, 'utf8')));
  await deps.committer.commit([
    {
      orgId,
      bundle,
      versions: due.map(() => -1),
      sidecars: due.flatMap(({ sidecars }, position) => sidecars.map((value) => ({ position, value }))),
      objects: due.flatMap(({ objects }, position) => objects.map((value) => ({ position, value }))),
    },
  ]);
  await deps.committer.settle();
  await deps.projector.drain(orgId);
  return due.length;
}
