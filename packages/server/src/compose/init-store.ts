// Owns set-up from the command line: the first organization of an empty store, without a server.

import type { Initialized } from '../control/init-organization.ts';
import { readSettings } from './settings.ts';
import { type InitValues, initFirst, openStore } from './store.ts';

const closeMs = 10_000;

/** Opens the store that the environment names, makes its first organization, closes it. */
export async function initStore(
  env: { readonly [name: string]: string | undefined },
  values: InitValues,
): Promise<Initialized> {
  const store = await openStore(readSettings(env), { onStep: () => {}, onDeath: () => {} });
  try {
    return await initFirst(store, values);
  } finally {
    await store.close(closeMs);
  }
}
