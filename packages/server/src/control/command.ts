// Owns what a command is: values in, changes out. A command cannot write; whoever runs it does, with its entry.

import type { BodyOf, Operation, ParamsOf, QueryOf, ResponseOf } from '@countersign/contract/operation';
import type { Authority } from '@countersign/core/access/authority';
import type { Change } from '@countersign/core/directory/objects';
import type {
  EntryId,
  Id,
  IdKind,
  KeyId,
  OrgId,
  PrincipalId,
  ProviderId,
  RequestId,
  UserId,
} from '@countersign/core/ids';
import type { JsonObject } from '@countersign/core/json';
import type { Profile } from '../services/subjects/profile.ts';
import type { Client } from '../services/subjects/subject-key.ts';
import type { View } from './view.ts';

/** Who gives a command, resolved and permitted on the snapshot; the transaction refuses if that has aged. */
export type CommandActor = {
  readonly principalId: PrincipalId;
  readonly person: UserId | undefined;
  readonly keyId: KeyId | undefined;
  readonly authority: Authority;
  /** The `actor` member of the entry, as authentication alone showed it. */
  readonly entryActor: JsonObject;
};

export type CommandContext = {
  readonly orgId: OrgId;
  readonly requestId: RequestId;
  readonly actor: CommandActor;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** The version that this command's changes will make. */
  readonly nextVersion: number;
  readonly newId: <K extends IdKind>(kind: K) => Id<K>;
  readonly randomBytes: (count: number) => Uint8Array;
  /** SHA-256 in lower-case hex. */
  readonly sha256Hex: (text: string) => string;
};

/** What is written beside the objects, sealed, and never recorded in the clear. */
export type SecretWrite =
  | { readonly kind: 'subject'; readonly id: PrincipalId; readonly profile: Profile | null }
  | { readonly kind: 'provider_key'; readonly id: ProviderId; readonly key: string | null }
  | { readonly kind: 'erase_subject'; readonly id: PrincipalId }
  | { readonly kind: 'client'; readonly entryId: EntryId; readonly client: Client }
  | { readonly kind: 'erasure_request'; readonly id: UserId; readonly reason: string }
  | {
      readonly kind: 'policy_text';
      readonly version: number;
      readonly hash: string;
      readonly text: string;
      readonly compiled: string;
    };

export type CommandOutcome<R> = {
  readonly response: R;
  readonly changes: readonly Change[];
  readonly secrets?: readonly SecretWrite[];
  /** Members of the response that are shown once and left out of a replay. */
  readonly shownOnce?: readonly string[];
  /** Members of the entry beyond the usual ones. */
  readonly entry?: EntryExtras;
};

export type EntryExtras =
  | {
      readonly type: 'management';
      readonly reason?: string;
      readonly policyText?: string;
      /** What it is about, where no change says so. */
      readonly resource?: string;
      readonly approvers?: readonly string[];
    }
  | { readonly type: 'content_read'; readonly record: string; readonly reason: string }
  | {
      readonly type: 'erasure';
      readonly subject: string;
      readonly reason: string;
      readonly approvers: readonly string[];
    };

export type CommandInput<O extends Operation> = {
  readonly params: ParamsOf<O>;
  readonly query: QueryOf<O>;
  readonly body: BodyOf<O>;
  /** What `prepare` found before the transaction: a checked policy. Null for all other commands. */
  readonly prepared: Prepared;
};

export type Prepared = null | {
  readonly kind: 'policy';
  readonly text: string;
  readonly hash: string;
  readonly compiled: string;
  readonly warnings: readonly string[];
};

/**
 * Decides over what the transaction shows and returns what is to change. Awaits nothing but the view.
 * Refusals are AppErrors and change nothing.
 */
export type Command<O extends Operation> = (
  view: View,
  ctx: CommandContext,
  input: CommandInput<O>,
) => Promise<CommandOutcome<ResponseOf<O>>>;

/** One change, typed by its kind. */
export function changed<C extends Change>(change: C): C {
  return change;
}
