// Owns which log a reader of the ledger asks for: their organization's, or the installation's own.

import { AppError } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { readInstallation } from '../stores/bookkeeping.ts';
import { listHeads } from '../stores/heads.ts';
import { demand } from './guard.ts';
import type { QueryContext } from './run-query.ts';

/**
 * The id under which the log lies. The installation's log says how much each organization did: it is shown to the one
 * whose installation it is, and to none of several.
 */
export async function logOf(ctx: QueryContext, log: 'organization' | 'installation'): Promise<OrgId> {
  demand(ctx.actor, 'ledger.read', 'organization');
  if (log === 'organization') return ctx.orgId;
  const installation = await readInstallation(ctx.store);
  if (installation === undefined) throw new AppError('internal', 'the installation has no log');
  const logs = await listHeads(ctx.store);
  const own: readonly string[] = [ctx.orgId, installation.orgId];
  if (logs.some((one) => !own.includes(one.org_id)))
    throw new AppError(
      'permission_denied',
      'this installation serves several organizations: its own log is for its operator',
    );
  return installation.orgId;
}
