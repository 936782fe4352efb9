// Owns how a key is shown: without its hashes, with its moments as text.

import type { keyView } from '@countersign/contract/access-operations';
import type { Key } from '@countersign/core/directory/objects';
import type { z } from 'zod';

/** The view of a key. `createdAtMs` and `lastUsedAtMs` are milliseconds since 1970. */
export function keyViewOf(
  key: Key,
  createdAtMs: number,
  lastUsedAtMs: number | undefined,
): z.infer<typeof keyView> {
  const { hash: _hash, previous, expiresAt, ...shown } = key;
  const moment = (ms: number): string => new Date(ms).toISOString();
  return {
    ...shown,
    createdAt: moment(createdAtMs),
    ...(expiresAt === undefined ? {} : { expiresAt: moment(expiresAt) }),
    ...(previous === undefined ? {} : { overlapUntil: moment(previous.until) }),
    ...(lastUsedAtMs === undefined ? {} : { lastUsedAt: moment(lastUsedAtMs) }),
  };
}
