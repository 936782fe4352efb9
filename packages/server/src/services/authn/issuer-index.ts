// Owns finding the organization's issuer that a token names, in memory wherever it was found before.

import type { Directory } from '@countersign/core/directory/directory';
import type { OrgId } from '@countersign/core/ids';
import type { TrustedIssuer } from './verify-jwt.ts';

/** The part of an organization in memory that tokens read. */
export type TokenSnapshot = {
  readonly orgId: OrgId;
  readonly directory: Directory;
  readonly version: () => number;
};

/** Organizations in memory, as tokens need them. */
export type TokenSnapshots = {
  readonly peek: (orgId: OrgId) => TokenSnapshot | undefined;
  readonly get: (orgId: OrgId) => Promise<TokenSnapshot>;
  readonly catchUp: (orgId: OrgId, version: number) => Promise<void>;
};

export type IssuerRow = { readonly orgId: OrgId; readonly id: string };

export type IssuerIndexDeps = {
  /** Trusted issuers by `issuer audience`, in all organizations. */
  readonly look: (uniqueKeys: readonly string[]) => Promise<readonly IssuerRow[]>;
  readonly snapshots: TokenSnapshots;
  /** Milliseconds on a clock that never goes back. */
  readonly clock: () => number;
};

const maxKnown = 10_000;
/** How long a name is remembered as nobody's: a flood of one costs the store one look a second. */
const unknownMs = 1_000;

/** `find` gives every issuer whose URL is exactly `iss` and whose audience is one of `audiences`. */
export function createIssuerIndex(deps: IssuerIndexDeps): {
  readonly find: (iss: string, audiences: readonly string[]) => Promise<readonly TrustedIssuer[]>;
} {
  const { snapshots, clock } = deps;
  const known = new Map<string, IssuerRow>();
  const unknown = new Map<string, number>();

  async function issuerOf({ orgId, id }: IssuerRow, isFresh: boolean): Promise<TrustedIssuer | undefined> {
    const snapshot = snapshots.peek(orgId) ?? (await snapshots.get(orgId));
    const { tokenIssuer } = snapshot.directory.tables;
    // The store knew it a moment ago: the organization in memory may be one step behind.
    if (isFresh && !tokenIssuer.has(id)) await snapshots.catchUp(orgId, snapshot.version() + 1);
    const issuer = tokenIssuer.get(id);
    return issuer === undefined ? undefined : { orgId, issuer };
  }

  function remember(uniqueKey: string, row: IssuerRow): void {
    if (known.size >= maxKnown) known.clear();
    known.set(uniqueKey, row);
  }

  async function lookUp(iss: string, keys: readonly string[]): Promise<readonly TrustedIssuer[]> {
    const asked = keys.filter((key) => (unknown.get(key) ?? 0) <= clock());
    if (asked.length === 0) return [];
    const found: TrustedIssuer[] = [];
    for (const row of await deps.look(asked)) {
      const trusted = await issuerOf(row, true);
      if (trusted === undefined || trusted.issuer.issuer !== iss) continue;
      remember(`${iss} ${trusted.issuer.audience}`, row);
      found.push(trusted);
    }
    if (unknown.size > maxKnown) unknown.clear();
    for (const key of asked) if (!known.has(key)) unknown.set(key, clock() + unknownMs);
    return found;
  }

  return {
    async find(iss, audiences) {
      const found: TrustedIssuer[] = [];
      const missing: string[] = [];
      for (const audience of audiences) {
        const key = `${iss} ${audience}`;
        const row = known.get(key);
        const trusted = row === undefined ? undefined : await issuerOf(row, false);
        if (trusted?.issuer.issuer === iss && trusted.issuer.audience === audience) found.push(trusted);
        else {
          known.delete(key);
          missing.push(key);
        }
      }
      if (missing.length > 0) found.push(...(await lookUp(iss, missing)));
      // INVARIANT: an exact match of both, whatever the index holds.
      return found.filter(({ issuer }) => issuer.issuer === iss && audiences.includes(issuer.audience));
    },
  };
}
