// Owns what the writing thread answers about cosignatures: logs and their sizes, proofs, and what is to be kept.

import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import type { LogPolicy } from '@countersign/core/ledger/log-policy';
import type { Kysely } from 'kysely';
import type { CallHandlers } from '../platform/db/thread-server.ts';
import { proveConsistency } from '../services/ledger/prove-tree.ts';
import { keepCosignature } from '../services/witnesses/keep-cosignature.ts';
import type { LogSize } from '../services/witnesses/witness-lane.ts';
import { listCosignatures, type StoredCosignature } from '../stores/cosignatures.ts';
import { listHeads, readHead } from '../stores/heads.ts';
import type { Tables } from '../stores/schema.ts';

/** A log's newest checkpoint, and the size that each witness has cosigned last of it, by the witness's key. */
export type CosignStanding = {
  readonly checkpoint: string;
  readonly sizes: ReadonlyMap<string, number>;
};

export type CosigningCalls = {
  /** Every log, and how many of its entries are durable and signed. */
  logs: { request: null; reply: readonly LogSize[] };
  cosignStanding: { request: OrgId; reply: CosignStanding };
  proveConsistency: {
    request: { readonly orgId: OrgId; readonly oldSize: number; readonly size: number };
    reply: readonly Uint8Array[];
  };
  keepCosignature: { request: { readonly orgId: OrgId; readonly kept: StoredCosignature }; reply: null };
};

/** The answers. Without a list of witnesses nothing is kept. */
export function cosigningHandlers(
  db: Kysely<Tables>,
  witnesses: LogPolicy | undefined,
): CallHandlers<CosigningCalls> {
  return {
    async logs() {
      const heads = await listHeads(db);
      return heads.flatMap(({ org_id: orgId, size }) => (isId('org', orgId) ? [{ orgId, size }] : []));
    },
    async cosignStanding(orgId) {
      // The head first: what was cosigned is never of more than it.
      const head = await readHead(db, orgId);
      if (head === undefined) throw new AppError('not_found', `there is no ledger for \`${orgId}\``);
      const own = (await listCosignatures(db, orgId)).filter(({ origin }) => origin === head.origin);
      return {
        checkpoint: head.checkpoint,
        sizes: new Map(own.map(({ witnessKey, size }) => [witnessKey, size])),
      };
    },
    proveConsistency: ({ orgId, oldSize, size }) => proveConsistency(db, orgId, oldSize, size),
    async keepCosignature({ orgId, kept }) {
      if (witnesses !== undefined) await keepCosignature(db, witnesses, orgId, kept);
      return null;
    },
  };
}
