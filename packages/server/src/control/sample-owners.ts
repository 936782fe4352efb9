// Owns what tests of erasures share: owners who act with keys of their own.

import { AppError } from '@countersign/core/errors';
import { isId } from '@countersign/core/ids';
import { type Asker, make, makePerson, type SampleStore } from './sample-organization.ts';

/** The same person, with a management key that they made themselves. */
export async function withOwnKey(store: SampleStore, asker: Asker): Promise<Asker> {
  const { workspaceId } = asker;
  const keyId = await make(store, asker, 'key.create', { name: 'own', use: 'management', workspaceId });
  if (!isId('key', keyId)) throw new AppError('internal', 'a new key has no id');
  return { ...asker, keyId };
}

/** Two owners, with keys of their own. */
export async function twoOwners(store: SampleStore, owner: Asker) {
  const second = await makePerson(store, owner, 'second', 'owner');
  return { first: await withOwnKey(store, owner), second: await withOwnKey(store, second) };
}
