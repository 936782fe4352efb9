// Owns how an organization is shown: its state with its version and the key of its ledger.

import type { organizationView } from '@countersign/contract/directory-operations';
import type { Organization } from '@countersign/core/directory/objects';
import type { z } from 'zod';
import type { Head } from '../stores/heads.ts';

/** The view of an organization at `version`. */
export function organizationViewOf(
  state: Organization,
  head: Pick<Head, 'origin' | 'verifierKey'>,
  version: number,
): z.infer<typeof organizationView> {
  return {
    ...state,
    clientMode: state.clientMode ?? 'sealed',
    version,
    origin: head.origin,
    verifierKey: head.verifierKey,
  };
}
