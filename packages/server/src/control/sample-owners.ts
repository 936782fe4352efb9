// Owns what tests of erasures share: people who act with keys of their own, and owners of whom neither made the other.

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

/** Two owners, with keys of their own: `first` is who was given, `second` was made by somebody between them. */
export async function twoOwners(store: SampleStore, owner: Asker) {
  const between = await makePerson(store, owner, 'between', 'owner');
  const second = await makePerson(store, between, 'second', 'owner');
  return {
    first: await withOwnKey(store, owner),
    between: await withOwnKey(store, between),
    second: await withOwnKey(store, second),
  };
}
