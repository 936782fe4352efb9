// Owns running the recovery of an owner's key in the thread that writes, on a store that no server serves.

import { AppError } from '@countersign/core/errors';
import { isId, makeId, makeRequestId } from '@countersign/core/ids';
import type { Kysely } from 'kysely';
import { bindCommand } from '../control/bound-command.ts';
import { keyRecover, recoverOwner } from '../control/recover-owner.ts';
import { type RunDeps, runCommand } from '../control/run-command.ts';
import { listHeads, readHead } from '../stores/heads.ts';
import type { Tables } from '../stores/schema.ts';
import { systemActor } from './installation.ts';
import type { Recovered } from './threads.ts';

/** Makes the key in the store's organization. Throws `not_found` where there is none yet. */
export async function runRecovery(
  deps: RunDeps & { readonly db: Kysely<Tables> },
  owner: string | null,
): Promise<Recovered> {
  const heads = await listHeads(deps.db);
  const orgId = heads.find(({ log_kind }) => log_kind === 'organization')?.org_id;
  const head = orgId === undefined || !isId('org', orgId) ? undefined : await readHead(deps.db, orgId);
  if (orgId === undefined || !isId('org', orgId) || head === undefined)
    throw new AppError('not_found', 'this store has no organization yet: make it with `countersign init`');
  const nowMs = deps.now();
  const result = await runCommand(deps, bindCommand(keyRecover, recoverOwner), {
    orgId,
    requestId: makeRequestId(nowMs, deps.randomBytes(10)),
    operation: keyRecover.id,
    actor: {
      principalId: makeId('user', nowMs, deps.randomBytes(10)),
      person: undefined,
      keyId: undefined,
      authority: {
        workspaceId: makeId('workspace', nowMs, deps.randomBytes(10)),
        inWorkspace: new Set(),
        everywhere: new Set(),
      },
      entryActor: { ...systemActor, org: orgId },
    },
    version: head.version,
    idempotencyKey: undefined,
    client: undefined,
    params: {},
    query: {},
    body: { owner },
    prepared: null,
  });
  if (result.kind === 'stale') throw new AppError('conflict', 'the store is in use: stop its server first');
  return { ...keyRecover.response.parse(result.response), entryId: result.entryId ?? '' };
}
