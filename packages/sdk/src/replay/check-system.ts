// Owns the check of what the software did by itself: the first entry, people of tokens, a recovered key.

import type { UnaskedOperation } from '@countersign/contract/operation-effects';
import type { Directory } from '@countersign/core/directory/directory';
import type { Change, Key, TokenIssuer } from '@countersign/core/directory/objects';
import type { Report } from './difference.ts';
import type { Fold } from './fold.ts';

/** A recovered key lasts a day. */
const recoveredMs = 24 * 60 * 60 * 1_000;

function issuerOf({ tables }: Directory, source: string | undefined): TokenIssuer | undefined {
  const issuer = tables.tokenIssuer.get(source ?? '');
  return issuer?.status === 'active' ? issuer : undefined;
}

/** Whom an issuer vouches for: a person that it made before, or makes here. */
function isOfIssuer(
  { tables }: Directory,
  changes: readonly Change[],
  principalId: string,
  issuerId: string,
): boolean {
  const made = changes.find((change) => change.kind === 'user' && change.id === principalId);
  const user = made?.kind === 'user' ? made.state : tables.user.get(principalId);
  return user?.external?.issuerId === issuerId;
}

/** The roles that an issuer's tokens give: those of its map but never owner, or member where it maps none. */
function isGiven({ claims, roleMap }: TokenIssuer, role: string): boolean {
  const mapped = Object.values(roleMap);
  if (claims.roles === undefined || mapped.length === 0) return role === 'member';
  return role !== 'owner' && mapped.some((one) => one === role);
}

/** Whether an active issuer gives this, or takes what it gave. */
function isProvisioned(directory: Directory, changes: readonly Change[], change: Change): boolean {
  const { tables } = directory;
  switch (change.kind) {
    case 'user':
      return issuerOf(directory, change.state?.external?.issuerId)?.justInTime === true;
    case 'roleAssignment': {
      const { state } = change;
      const issuer = issuerOf(directory, (state ?? tables.roleAssignment.get(change.id))?.source);
      if (state === null || issuer === undefined) return issuer !== undefined;
      const isPlaced = state.workspaceId === issuer.workspaceId && isGiven(issuer, state.role);
      return isPlaced && isOfIssuer(directory, changes, state.principalId, issuer.id);
    }
    case 'membership': {
      const { state } = change;
      const issuer = issuerOf(directory, (state ?? tables.membership.get(change.id))?.source);
      if (state === null || issuer === undefined) return issuer !== undefined;
      const isMapped = Object.values(issuer.teamMap).includes(state.teamId);
      return isMapped && isOfIssuer(directory, changes, state.principalId, issuer.id);
    }
    default:
      return false;
  }
}

/** A key that is made without one: for an active owner, for management, for a day. */
function isRecovery({ tables, byPrincipal }: Directory, key: Key | null, atMs: number): boolean {
  if (key?.use !== 'management' || key.expiresAt === undefined) return false;
  const roles = [...(byPrincipal.roles.get(key.principalId)?.values() ?? [])];
  const isOwner = roles.some(({ role, workspaceId }) => role === 'owner' && workspaceId === undefined);
  const isLive = tables.user.get(key.principalId)?.status === 'active';
  return isOwner && isLive && key.expiresAt <= atMs + recoveredMs;
}

/** Reports what the software does not do by itself. The fold is the one before. */
export function checkUnasked(
  { directory, isCarrying }: Pick<Fold, 'directory' | 'isCarrying'>,
  operation: UnaskedOperation,
  changes: readonly Change[],
  atMs: number,
  report: Report,
): void {
  if (operation === 'organization.init') {
    const { version } = directory.at;
    if (version > 0) report('change_differs', `${operation} at version ${version}`, 'once, at version 0');
    return;
  }
  if (operation === 'log.continue') {
    if (!isCarrying)
      report(
        'change_differs',
        operation,
        'at the beginning of a log that continues another one, and nowhere else',
      );
    return;
  }
  for (const change of changes) {
    const isSo =
      operation === 'user.provision'
        ? isProvisioned(directory, changes, change)
        : change.kind === 'key' && isRecovery(directory, change.state, atMs);
    if (!isSo) report('change_differs', `${operation} of ${change.kind} ${change.id}`, 'it does not do that');
  }
}
