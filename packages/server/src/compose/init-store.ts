// Owns set-up from the command line: the first organization of an empty store, without a server.

import { createLog } from '../platform/log/log.ts';
import { readSettings } from './settings.ts';
import { type InitValues, initFirst, openStore } from './store.ts';
import { logFaults } from './thread-faults.ts';
import type { Founded } from './threads.ts';

const closeMs = 10_000;

/**
 * Opens the store that the environment names, makes its first organization, closes it. `onMasterKey` is told the file
 * of a master key that was made for it, also where the rest does not succeed.
 */
export async function initStore(
  env: { readonly [name: string]: string | undefined },
  values: InitValues,
  onMasterKey: (file: string) => void = () => {},
): Promise<Founded> {
  // Standard output is the answer's; what goes wrong beside it is told on the other one.
  const log = createLog({ level: 'warn', destination: process.stderr });
  const hear = { onStep: () => {}, onFault: logFaults(log), onDeath: () => {} };
  const store = await openStore(readSettings(env), hear);
  const { made } = store.masterKeys;
  if (made !== undefined) onMasterKey(made);
  try {
    return await initFirst(store, values);
  } finally {
    await store.close(closeMs);
  }
}
