// Owns the view of one record with its entries as they stand in the ledger.

import type { recordGet } from '@countersign/contract/evidence-operations';
import { isId } from '@countersign/core/ids';
import { toHex } from '@countersign/core/ledger/encoding';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { sha256 } from '../services/ledger/crypto.ts';
import { readEntries } from '../services/ledger/read-tiles.ts';
import { recordViewOf } from '../services/ledger/record-view.ts';
import { placeOf } from '../stores/log-places.ts';
import { findObject } from '../stores/objects.ts';
import type { RecordRow } from '../stores/schema.ts';
import { alertedNames } from './alerted-names.ts';
import { maySeeName, namesOf } from './person-names.ts';
import type { Query, QueryContext } from './run-query.ts';
import { needRecord } from './visible-records.ts';

async function entryAt(ctx: QueryContext, index: number) {
  const [bytes = new Uint8Array(0)] = await readEntries(ctx.store, ctx.orgId, index, index + 1);
  const leafHash = toHex(createTreeHasher(sha256).leaf(bytes));
  return { index: placeOf(index).place, leafHash, text: Buffer.from(bytes).toString('utf8') };
}

async function agentNames(ctx: QueryContext, ids: readonly string[]): Promise<Record<string, string>> {
  const names: Record<string, string> = {};
  for (const id of ids) {
    const agent = isId('agent', id) ? await findObject(ctx.store, ctx.orgId, 'agent', id) : undefined;
    if (agent !== undefined) names[id] = agent.state.name;
  }
  return names;
}

/** Why a person has no name here; undefined for whoever has one, and where the asker may not see it. */
async function missingName(
  ctx: QueryContext,
  row: RecordRow,
  name: string | undefined,
): Promise<'erased' | 'unnamed' | undefined> {
  const { actor_id: id } = row;
  if (name !== undefined || !isId('user', id) || !maySeeName(ctx, row)) return undefined;
  const user = await findObject(ctx.store, ctx.orgId, 'user', id);
  return user?.state.status === 'erased' ? 'erased' : 'unnamed';
}

/** The record, its entries' exact text and their leaf hashes. */
export const getRecord: Query<typeof recordGet> = async (ctx, { params }) => {
  const row = await needRecord(ctx, params.id);
  const names = await namesOf(ctx, [row]);
  const alerted = await alertedNames(ctx, [row]);
  const { workspace_id: workspaceId, entry_index: first, outcome_index: last } = row;
  const workspace =
    workspaceId === null ? undefined : await findObject(ctx.store, ctx.orgId, 'workspace', workspaceId);
  const view = recordViewOf(row, (id) => names.get(id) ?? alerted.get(id));
  const entries = [await entryAt(ctx, first)];
  if (last !== null) entries.push(await entryAt(ctx, last));
  return {
    ...view,
    noName: await missingName(ctx, row, view.actor.name),
    workspaceName: workspace?.state.name,
    agentNames: await agentNames(ctx, view.actor.agents),
    entries,
  };
};
