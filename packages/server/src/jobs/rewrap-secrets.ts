// Owns the rotation of the master key: whatever an older key wraps is wrapped anew, its own ciphertext unchanged.

import type { Kysely } from 'kysely';
import type { Binding, Sealer } from '../platform/sealer/sealer.ts';
import {
  indexKeyBinding,
  logKeyBinding,
  providerKeyBinding,
  subjectKeyBinding,
} from '../services/subjects/bindings.ts';
import type { Tables } from '../stores/schema.ts';
import { listSealed, replaceSealed, type SealedPlace } from '../stores/sealed-places.ts';

function bindingOf({ kind, orgId, id }: SealedPlace): Binding {
  switch (kind) {
    case 'log_key':
      return logKeyBinding(orgId);
    case 'index_key':
      return indexKeyBinding(orgId);
    case 'subject_key':
      return subjectKeyBinding(orgId, id);
    case 'provider_key':
      return providerKeyBinding(orgId, id);
  }
}

const step = 200;

/**
 * Wraps every sealed secret with the newest master key and returns how many were not yet. Runs beside requests:
 * each place is read and replaced in a transaction of its own. When it returns, older keys are needed no more.
 */
export async function rewrapSecrets(db: Kysely<Tables>, sealer: Sealer): Promise<number> {
  let count = 0;
  for (const kind of ['log_key', 'index_key', 'subject_key', 'provider_key'] as const) {
    let after: { readonly orgId: string; readonly id: string } | undefined;
    for (;;) {
      const places = await listSealed(db, kind, after, step);
      for (const place of places) {
        if (sealer.isCurrent(place.sealed)) continue;
        const anew = sealer.rewrap(place.sealed, bindingOf(place));
        const isReplaced = await db.transaction().execute((tx) => replaceSealed(tx, place, anew));
        if (isReplaced) count += 1;
      }
      after = places.at(-1);
      if (places.length < step) break;
    }
  }
  return count;
}
