// Owns what the command line does to a store without a server: its first organization, and the way back to an owner's key.

import { existsSync } from 'node:fs';
import { AppError } from '@countersign/core/errors';
import { databasePath } from '../platform/db/sqlite-file.ts';
import { createLog } from '../platform/log/log.ts';
import { readSettings } from './settings.ts';
import type { Hearing } from './start-threads.ts';
import { type InitValues, initFirst, openStore } from './store.ts';
import { logFaults } from './thread-faults.ts';
import type { Founded, Recovered } from './threads.ts';

type StoreEnv = { readonly [name: string]: string | undefined };

const closeMs = 10_000;

/** Standard output is the answer's; what goes wrong beside it is told on the other one. */
function hearing(): Hearing {
  const log = createLog({ level: 'warn', destination: process.stderr });
  return { onStep: () => {}, onFault: logFaults(log), onDeath: () => {} };
}

/**
 * Makes a management key, for a day, for an active owner of the store that the environment names, which no server may
 * have. `owner` is an id or an address, null where there is one owner. The ledger records it.
 */
export async function recoverOwnerKey(env: StoreEnv, owner: string | null): Promise<Recovered> {
  const config = readSettings(env);
  // Opening would make one, with a master key of its own.
  if (config.databaseUrl === undefined && !existsSync(databasePath(config.dataDir)))
    throw new AppError(
      'storage_unavailable',
      `there is no database in \`${config.dataDir}\`: set COUNTERSIGN_DATA_DIR`,
    );
  const store = await openStore(config, hearing());
  try {
    return await store.threads.writer.call('recover', owner);
  } finally {
    await store.close(closeMs);
  }
}

/**
 * Opens the store that the environment names, makes its first organization, closes it. `onMasterKey` is told the file
 * of a master key that was made for it, also where the rest does not succeed.
 */
export async function initStore(
  env: StoreEnv,
  values: InitValues,
  onMasterKey: (file: string) => void = () => {},
): Promise<Founded> {
  const store = await openStore(readSettings(env), hearing());
  const { made } = store.masterKeys;
  if (made !== undefined) onMasterKey(made);
  try {
    return await initFirst(store, values);
  } finally {
    await store.close(closeMs);
  }
}
