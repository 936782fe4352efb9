// Owns the simulation of a policy: what a new text would have decided over past calls.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { policySimulate } from '@countersign/contract/policy-operations';
import { applyChanges, type Directory, emptyDirectory } from '@countersign/core/directory/directory';
import type { Change } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type CallIntent, decodeEntry } from '@countersign/core/ledger/entry';
import { parseJson } from '@countersign/core/parse-json';
import { type CompiledPolicy, compilePolicy } from '@countersign/core/policy/compile';
import { readEntries } from '../services/ledger/read-tiles.ts';
import { listAll } from '../stores/object-lists.ts';
import { listRecords } from '../stores/records.ts';
import type { RecordRow } from '../stores/schema.ts';
import { changed, type Prepared } from './command.ts';
import { demand } from './guard.ts';
import { decideAgain } from './past-decision.ts';
import type { Query, QueryContext } from './run-query.ts';

const chunkRows = 200;
const mostExamples = 20;

function compiledRules(prepared: Prepared, text: string): CompiledPolicy {
  if (prepared?.kind !== 'policy' || prepared.text !== text)
    throw new AppError('internal', 'a policy came without its check');
  const est: unknown = parseJson(prepared.compiled);
  const result = Array.isArray(est) ? compilePolicy(est) : undefined;
  if (result?.ok !== true) throw new AppError('internal', 'a checked policy does not compile');
  return result.policy;
}

/** The part of the directory that resources and names come from. */
async function directoryOf({ store, orgId }: QueryContext): Promise<Directory> {
  const [workspaces, teams, services, providers, models] = [
    await listAll(store, orgId, 'workspace'),
    await listAll(store, orgId, 'team'),
    await listAll(store, orgId, 'service'),
    await listAll(store, orgId, 'provider'),
    await listAll(store, orgId, 'model'),
  ];
  const changes: readonly Change[] = [
    ...workspaces.map(({ state }) => changed({ kind: 'workspace', id: state.id, state })),
    ...teams.map(({ state }) => changed({ kind: 'team', id: state.id, state })),
    ...services.map(({ state }) => changed({ kind: 'service', id: state.id, state })),
    ...providers.map(({ state }) => changed({ kind: 'provider', id: state.id, state })),
    ...models.map(({ state }) => changed({ kind: 'model', id: state.id, state })),
  ];
  const directory = emptyDirectory(orgId);
  applyChanges(directory, 1, changes);
  return directory;
}

/** Entries that are read at once: where calls lie further apart, each is read by itself. */
const widestSpan = 2_000;

async function entriesOf(ctx: QueryContext, indices: readonly number[]): Promise<readonly Uint8Array[]> {
  const low = Math.min(...indices);
  const high = Math.max(...indices) + 1;
  if (high - low <= widestSpan) {
    const all = await readEntries(ctx.store, ctx.orgId, low, high);
    return indices.flatMap((index) => all[index - low] ?? []);
  }
  const entries: Uint8Array[] = [];
  for (const index of indices) entries.push(...(await readEntries(ctx.store, ctx.orgId, index, index + 1)));
  return entries;
}

async function intentsOf(ctx: QueryContext, rows: readonly RecordRow[]): Promise<readonly CallIntent[]> {
  if (rows.length === 0) return [];
  const entries = await entriesOf(
    ctx,
    rows.map((row) => row.entry_index),
  );
  return entries.flatMap((bytes) => {
    const decoded = decodeEntry(Buffer.from(bytes).toString('utf8'));
    return decoded.ok && 'phase' in decoded.entry && decoded.entry.phase === 'intent' ? [decoded.entry] : [];
  });
}

type Asked = { readonly from?: string | undefined; readonly to?: string | undefined; readonly limit: number };

/** The newest `limit` calls of the span. */
async function* pastCalls(ctx: QueryContext, { from, to, limit }: Asked): AsyncGenerator<CallIntent, void> {
  let before: number | undefined;
  for (let left = limit; left > 0; ) {
    const size = Math.min(left, chunkRows);
    const filter = {
      type: 'model_call',
      ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
      ...(to === undefined ? {} : { toMs: Date.parse(to) }),
    };
    const rows = await listRecords(ctx.store, ctx.orgId, filter, before, size);
    const page = rows.slice(0, size);
    yield* await intentsOf(ctx, page);
    // Other questions to the reader must not wait for the whole report.
    await nextTurn();
    left -= page.length;
    before = page.at(-1)?.entry_index;
    if (rows.length <= size) return;
  }
}

/** Decides past calls again and counts what would change. Records nothing, forwards nothing. */
export const simulatePolicy: Query<typeof policySimulate> = async (ctx, { body, prepared }) => {
  demand(ctx.actor, 'policy.check', 'organization');
  const rules = compiledRules(prepared, body.text);
  const directory = await directoryOf(ctx);
  const counts = { examined: 0, skipped: 0, changed: 0, nowAllowed: 0, nowDenied: 0 };
  const examples: { record: string; before: string; after: string; rules: string[] }[] = [];
  for await (const entry of pastCalls(ctx, body)) {
    const again = decideAgain(directory, rules, entry);
    if (again === undefined) {
      counts.skipped += 1;
      continue;
    }
    counts.examined += 1;
    const before = entry.policy.decision;
    const after = again.outcome;
    if (before === after) continue;
    counts.changed += 1;
    if (after === 'allow') counts.nowAllowed += 1;
    if (before === 'allow') counts.nowDenied += 1;
    if (examples.length < mostExamples)
      examples.push({ record: entry.id, before, after, rules: [...again.policyIds] });
  }
  return { ...counts, examples };
};
