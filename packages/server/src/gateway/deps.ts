// Owns what the data plane needs of everything else: ports, filled by the composition root.

import type { KeyObject } from 'node:crypto';
import type { Provider } from '@countersign/core/directory/objects';
import type { AppError } from '@countersign/core/errors';
import type { TokenProof } from '@countersign/core/identity/actor';
import type { EntryId, OrgId, PrincipalId, ProviderId, RequestId, WorkspaceId } from '@countersign/core/ids';
import type { Recorder } from '../services/ledger/recorder.ts';
import type { Meter } from '../services/meter/meter.ts';
import type { BudgetAlert } from '../services/meter/state.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import type { Snapshots } from '../services/snapshot/snapshots.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { ActiveCalls } from './active-calls.ts';

/** A token that verified: whose organization, and what it proves. */
export type VerifiedCaller = { readonly orgId: OrgId; readonly token: TokenProof };

export type OwnedObject = { readonly providerId: ProviderId; readonly modelId: string };

export type GatewayDeps = {
  readonly snapshots: Snapshots;
  readonly recorder: Recorder;
  readonly meter: Meter;
  /** The organization of a key id, if there is one. */
  readonly organizationOfKey: (keyId: string) => OrgId | undefined | Promise<OrgId | undefined>;
  /** SHA-256 of a credential's text in lower-case hex. */
  readonly hashCredential: (text: string) => string;
  /** Verifies a token of a trusted issuer and brings its person into the directory. */
  readonly verifyToken: (text: string) => Promise<VerifiedCaller | undefined>;
  /** Counts a refused credential; recorded as an aggregate once a second. */
  readonly noteRefused: (address: string, reason: string) => void;
  /** The subject's own key, once loaded; undefined for one that has none. */
  readonly subjectKey: (
    orgId: OrgId,
    id: PrincipalId,
  ) => KeyObject | undefined | Promise<KeyObject | undefined>;
  readonly upstreamOf: (snapshot: OrgSnapshot, provider: Provider) => Promise<Upstream>;
  readonly providerKeyOf: (
    orgId: OrgId,
    provider: Provider,
  ) => string | undefined | Promise<string | undefined>;
  /** Who made an id at a provider: this principal in this workspace, or nobody that it may know of. */
  readonly ownedObject: (
    orgId: OrgId,
    ownerId: PrincipalId,
    workspaceId: WorkspaceId,
    externalId: string,
  ) => Promise<OwnedObject | undefined>;
  /** Names of the organization's networks that hold an address. */
  readonly networksOf: (snapshot: OrgSnapshot, address: string) => readonly string[];
  readonly newEntryId: () => EntryId;
  /** Milliseconds since 1970; and of the monotonic clock. */
  readonly now: () => number;
  readonly clock: () => number;
  readonly node: string;
  readonly boot: string;
  /** A budget has reached its threshold: recorded as an alert. */
  readonly onBudgetAlert: (snapshot: OrgSnapshot, alert: BudgetAlert) => void;
  readonly activeCalls: ActiveCalls;
  readonly onError: (error: unknown, requestId: RequestId) => void;
  readonly metrics: GatewayMetrics;
  /** The largest answer that is held as a whole, in bytes. */
  readonly maxAnswerBytes: number;
};

export type GatewayMetrics = {
  readonly decided: (outcome: string, endpoint: string) => void;
  readonly finished: (status: string, seconds: number) => void;
  readonly refused: (error: AppError) => void;
};
