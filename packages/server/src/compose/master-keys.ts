// Owns where the master keys come from: the configuration, or for an embedded store a file made at first start.

import { hash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@countersign/core/errors';
import type { Config } from '../platform/config/schema.ts';
import { makeFolder } from '../platform/folders/make-folder.ts';
import type { ThreadKeys } from './threads.ts';

/** 32 bytes in hex or base64. */
function parseKey(text: string): Uint8Array {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (bytes.length !== 32) {
    throw new AppError(
      'invalid_request',
      'a master key must be 32 bytes in hex or base64: `openssl rand -hex 32` makes one',
    );
  }
  return new Uint8Array(bytes);
}

function named(key: Uint8Array): ThreadKeys[number] {
  return { id: `k${hash('sha256', key, 'hex').slice(0, 12)}`, key };
}

export type MasterKeys = {
  readonly keys: ThreadKeys /** The file that this start made. */;
  readonly made: string | undefined;
};

/**
 * The master keys, the first of which seals. Without a configured one, an embedded store gets a file of mode
 * 0600 in its folder. Throws `invalid_request` for PostgreSQL without a key: replicas must share one.
 */
export function loadMasterKeys(config: Config): MasterKeys {
  const configured = config.masterKey?.reveal();
  if (configured !== undefined) {
    return { keys: configured.split(',').map((text) => named(parseKey(text.trim()))), made: undefined };
  }
  if (config.databaseUrl !== undefined) {
    throw new AppError(
      'invalid_request',
      'PostgreSQL needs `COUNTERSIGN_MASTER_KEY` or `COUNTERSIGN_MASTER_KEY_FILE`: set one',
    );
  }
  return fileKeys(config.dataDir);
}

/** The key of an embedded store, in its folder; made where there is none. */
function fileKeys(folder: string): MasterKeys {
  const path = join(folder, 'master.key');
  makeFolder(folder);
  const isThere = existsSync(path);
  try {
    if (!isThere) writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    return {
      keys: [named(parseKey(readFileSync(path, 'utf8').trim()))],
      made: isThere ? undefined : path,
    };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      'storage_unavailable',
      `the master key \`${path}\` cannot be ${isThere ? 'read' : 'made'}: let this user do so, or name another folder`,
      { cause },
    );
  }
}
