// Owns what the data plane needs of everything else: ports, filled by the composition root.

import type { TextReader } from '@countersign/core/classify/normalise';
import type { Model, Provider } from '@countersign/core/directory/objects';
import type { AppError } from '@countersign/core/errors';
import type { EntryId, OrgId, PrincipalId, RequestId, WorkspaceId } from '@countersign/core/ids';
import type { Rounds } from '../platform/rounds/rounds.ts';
import type { CallerDeps } from '../services/callers/authenticate.ts';
import type { Recorder } from '../services/ledger/recorder.ts';
import type { Meter } from '../services/meter/meter.ts';
import type { BudgetAlert } from '../services/meter/state.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import type { Snapshots } from '../services/snapshot/snapshots.ts';
import type { Commitments, SubjectKey } from '../services/subjects/subject-key.ts';
import type { Upstream, UpstreamError } from '../upstreams/upstream.ts';
import type { ActiveCalls } from './active-calls.ts';
import type { EntryDeps } from './entry-deps.ts';

export type OwnedObject = { readonly providerId: string; readonly modelId: string; readonly kind: string };

export type GatewayDeps = CallerDeps<OrgSnapshot> &
  EntryDeps & {
    readonly snapshots: Snapshots;
    readonly recorder: Recorder;
    readonly meter: Meter;
    /** Resolves when the organization's budgets are in force as its snapshot says; undefined if they are now. */
    readonly budgetsSettled: (orgId: OrgId) => Promise<void> | undefined;
    /** The subject's own key, once loaded; undefined for one that has none. */
    readonly subjectKey: (
      orgId: OrgId,
      id: PrincipalId,
    ) => SubjectKey | undefined | Promise<SubjectKey | undefined>;
    readonly commitments: Commitments;
    readonly upstreamOf: (snapshot: OrgSnapshot, provider: Provider) => Upstream;
    readonly providerKeyOf: (
      orgId: OrgId,
      provider: Provider,
    ) => string | undefined | Promise<string | undefined>;
    /** At which providers this principal's calls in this workspace made an id: at none if it is another's. */
    readonly ownedObject: (
      orgId: OrgId,
      ownerId: PrincipalId,
      workspaceId: WorkspaceId,
      externalId: string,
    ) => Promise<readonly OwnedObject[]>;
    /** Gives the detectors a text as they read it. */
    readonly readText: TextReader;
    /** Stands for what a client claimed, within an organization: 32 hex digits that nobody else can make. */
    readonly commitClaim: (orgId: OrgId, text: string) => string;
    /** Names of the organization's networks that hold an address. */
    readonly networksOf: (snapshot: OrgSnapshot, address: string) => readonly string[];
    readonly newEntryId: () => EntryId;
    /** Milliseconds since 1970; and of the monotonic clock. */
    readonly now: () => number;
    readonly clock: () => number;
    /** A provider that gave no answer: why stands in the process's log, by the request's id. */
    readonly noteFailed: (requestId: RequestId, failure: UpstreamError) => void;
    /** A refusal that leaves no record: it is found in the process's log by the request's id. */
    readonly noteUnrecorded: (requestId: RequestId, code: string) => void;
    /** What somebody should look at, recorded beside the call. */
    readonly alerts: {
      readonly budget: (snapshot: OrgSnapshot, alert: BudgetAlert) => void;
      readonly unknownPrice: (snapshot: OrgSnapshot, model: Model) => void;
    };
    readonly activeCalls: ActiveCalls;
    /** Lets calls that are ready in the same turn go on together. */
    readonly rounds: Rounds;
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
