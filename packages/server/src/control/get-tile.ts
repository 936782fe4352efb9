// Owns the answer with one tile of a log, full or at its right edge (C2SP tlog-tiles).

import type { ledgerTile } from '@countersign/contract/evidence-operations';
import { AppError } from '@countersign/core/errors';
import { toBase64 } from '@countersign/core/ledger/encoding';
import { parseTilePath, tileAt } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { sha256 } from '../services/ledger/crypto.ts';
import { readTileBytes } from '../services/ledger/read-tiles.ts';
import { readHead } from '../stores/heads.ts';
import { logOf } from './log-of.ts';
import type { Query } from './run-query.ts';

/** The tile's bytes. A partial tile of an earlier size stays readable after it has grown. */
export const getTile: Query<typeof ledgerTile> = async (ctx, { params, query }) => {
  const orgId = await logOf(ctx, query.log);
  const tile = parseTilePath(`tile/${params.path}`);
  if (tile === undefined) {
    throw new AppError(
      'invalid_request',
      `\`${params.path}\` is no tile: write \`entries/000\`, \`0/x001/234\` or \`0/000.p/12\``,
    );
  }
  const head = await readHead(ctx.store, orgId);
  const current = tileAt(head?.size ?? 0, tile.level, tile.index);
  if (current === undefined || tile.width > current.width)
    throw new AppError('not_found', `the log has no tile \`${params.path}\` yet`);
  const bytes = await readTileBytes(ctx.store, createTreeHasher(sha256), orgId, tile);
  return { base64: toBase64(bytes) };
};
