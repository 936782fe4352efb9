// Owns the names under which secrets are sealed: one opened under any other name fails.

import type { Binding } from '../../platform/sealer/sealer.ts';

/** A log's signing key. */
export function logKeyBinding(orgId: string): Binding {
  return { orgId, purpose: 'ledger-signing-key', objectId: orgId };
}

/** The key of the HMACs that index addresses. */
export function indexKeyBinding(installationId: string): Binding {
  return { orgId: installationId, purpose: 'index-key', objectId: installationId };
}

/** A person's (or other principal's) own key. */
export function subjectKeyBinding(orgId: string, id: string): Binding {
  return { orgId, purpose: 'subject-key', objectId: id };
}

/** The key that a provider gave. */
export function providerKeyBinding(orgId: string, providerId: string): Binding {
  return { orgId, purpose: 'provider-key', objectId: providerId };
}
