// Owns the composition of tokens: verified, their person brought into the directory, handed on as a proof.

import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { TokenProof } from '@countersign/core/identity/actor';
import { makeId, makeRequestId, type OrgId } from '@countersign/core/ids';
import type { CommandActor } from '../control/command.ts';
import { userProvision } from '../control/provision-user.ts';
import type { RunRequest } from '../control/run-command.ts';
import type { Log } from '../platform/log/log.ts';
import type { Arrival } from '../services/authn/arrival-turns.ts';
import { createArrivals } from '../services/authn/arrivals.ts';
import { createIssuerIndex } from '../services/authn/issuer-index.ts';
import type { FetchDocument } from '../services/authn/key-document.ts';
import { createKeySets } from '../services/authn/key-sets.ts';
import { subjectCommitment } from '../services/authn/subject-commitment.ts';
import { createTokenVerifier, type VerifiedToken } from '../services/authn/verify-jwt.ts';
import type { RefusedToken, VerifiedCaller } from '../services/callers/authenticate.ts';
import { systemActor } from './installation.ts';
import type { Organizations } from './organizations.ts';
import type { Threads } from './start-threads.ts';

export type TokenPorts = {
  readonly threads: Pick<Threads, 'reader' | 'writer' | 'installation'>;
  readonly fetchDocument: FetchDocument;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds on a clock that never goes back. */
  readonly clock: () => number;
};

/** Verifies a token for these organizations; undefined for one that proves nobody. */
export type VerifyToken = (
  organizations: Pick<Organizations, 'snapshots'>,
  text: string,
) => Promise<VerifiedCaller | RefusedToken>;

const maxMethods = 16;
const maxMethodLength = 64;

/** Texts and numbers that an entry can hold, whatever the issuer writes. */
function proofOf({ issuer, claims }: VerifiedToken, subject: string): TokenProof {
  const { authTime } = claims;
  return {
    issuerId: issuer.id,
    subject,
    authorizedParty: claims.authorizedParty,
    customer: claims.customer,
    amr: claims.amr
      .filter((method) => method !== '' && method.length <= maxMethodLength && method.isWellFormed())
      .slice(0, maxMethods),
    authTime: authTime === undefined ? undefined : Math.floor(authTime),
    expiresAt: Math.floor(claims.expiresAt),
  };
}

function provisionRequest(
  ports: TokenPorts,
  orgId: OrgId,
  version: number,
  people: readonly Arrival[],
): RunRequest {
  const nowMs = ports.now();
  const random = (): Uint8Array => randomBytes(10);
  const actor: CommandActor = {
    // Nobody's id: the software acts, and the entry says so.
    principalId: makeId('service', nowMs, random()),
    person: undefined,
    keyId: undefined,
    authority: {
      workspaceId: makeId('workspace', nowMs, random()),
      inWorkspace: new Set(),
      everywhere: new Set(),
    },
    entryActor: { ...systemActor, org: orgId },
  };
  return {
    orgId,
    requestId: makeRequestId(nowMs, random()),
    operation: userProvision.id,
    actor,
    version,
    idempotencyKey: undefined,
    client: undefined,
    params: {},
    query: {},
    body: { people },
    prepared: null,
  };
}

function composeVerify(
  ports: TokenPorts,
  organizations: Pick<Organizations, 'snapshots'>,
  indexKey: KeyObject,
) {
  const { threads, log } = ports;
  const { snapshots } = organizations;
  const index = createIssuerIndex({
    look: (keys) => threads.reader.call('issuer', keys),
    snapshots,
    clock: ports.clock,
  });
  const keySets = createKeySets({
    fetchDocument: ports.fetchDocument,
    clock: ports.clock,
    onFailure: (error, source) => log.warn({ error, source }, "a token issuer's keys could not be fetched"),
  });
  const verifier = createTokenVerifier({
    issuers: index.find,
    currentIssuer: (orgId, id) => snapshots.peek(orgId)?.directory.tables.tokenIssuer.get(id),
    keySets,
    now: ports.now,
  });
  const arrivals = createArrivals({
    snapshots,
    provision: (orgId, version, people) =>
      threads.writer.call('command', provisionRequest(ports, orgId, version, people)),
  });
  const callers = new WeakMap<VerifiedToken, VerifiedCaller>();
  return async (text: string): Promise<VerifiedCaller | RefusedToken> => {
    const token = await verifier.verify(text);
    if (!token.ok) return { isRefused: true, reason: token.reason };
    let caller = callers.get(token);
    if (caller === undefined) {
      const { orgId, issuer, claims } = token;
      const subject = subjectCommitment(indexKey, orgId, issuer.id, claims.subject);
      caller = { isRefused: false, orgId, token: proofOf(token, subject) };
      callers.set(token, caller);
    }
    await arrivals.arrive(token, caller.token.subject);
    return caller;
  };
}

/**
 * The gateway's `verifyToken`. Resolves to the reason for a token that is refused; rejects when the store cannot
 * record its person, so that nobody acts with what the directory does not hold.
 */
export function composeTokens(ports: TokenPorts): VerifyToken {
  const indexKey = createSecretKey(ports.threads.installation.indexKey);
  const composed = new WeakMap<Pick<Organizations, 'snapshots'>, ReturnType<typeof composeVerify>>();
  return (organizations, text) => {
    let verify = composed.get(organizations);
    if (verify === undefined) {
      verify = composeVerify(ports, organizations, indexKey);
      composed.set(organizations, verify);
    }
    return verify(text);
  };
}
