// Owns set-up from the command line: the first organization of an empty store, without a server.

import { readFileSync } from 'node:fs';
import type { Initialized } from '../control/init-organization.ts';
import { loadConfig } from '../platform/config/load.ts';
import { type InitValues, initFirst, openStore } from './store.ts';

const closeMs = 10_000;

/** Opens the store that the environment names, makes its first organization, closes it. */
export async function initStore(
  env: { readonly [name: string]: string | undefined },
  values: InitValues,
): Promise<Initialized> {
  const { config } = loadConfig(env, (path) => readFileSync(path, 'utf8'), { alsoKnown: clientVariables });
  const store = await openStore(config, { onStep: () => {}, onDeath: () => {} });
  try {
    return await initFirst(store, values);
  } finally {
    await store.close(closeMs);
  }
}

/** Variables of the CLI, which stand in the same environment. */
export const clientVariables = [
  'COUNTERSIGN_URL',
  'COUNTERSIGN_KEY',
  'COUNTERSIGN_MANAGEMENT_KEY',
  'COUNTERSIGN_KEY_FILE',
] as const;
