// Owns the actor chain: which human, through which agents and application, in which workspace, with what authority.

import type { Permission, Role } from '../access/permissions.ts';
import type {
  AgentId,
  KeyId,
  PrincipalId,
  ServiceId,
  TeamId,
  TokenIssuerId,
  UserId,
  WorkspaceId,
} from '../ids.ts';

/** What a verified token of a trusted issuer says. Nothing here was taken on a client's word. */
export type TokenProof = {
  readonly issuerId: TokenIssuerId;
  /** The commitment to the subject, as user states carry it. */
  readonly subject: string;
  readonly authorizedParty: string | undefined;
  readonly customer: string | undefined;
  readonly amr: readonly string[];
  /** Seconds since 1970; undefined if the issuer did not say. */
  readonly authTime: number | undefined;
  /** Seconds since 1970. */
  readonly expiresAt: number;
};

/** What a request presented, already checked for shape and signature, not yet held against the directory. */
export type Credential =
  | { readonly kind: 'key'; readonly keyId: KeyId; readonly presentedHash: string }
  | { readonly kind: 'token'; readonly token: TokenProof }
  | {
      readonly kind: 'key_with_token';
      readonly keyId: KeyId;
      readonly presentedHash: string;
      readonly token: TokenProof;
    };

/** Roles, teams and permissions of one principal in one workspace: what the directory says, nothing of the request. */
export type Standing = {
  readonly principalId: PrincipalId;
  readonly workspaceId: WorkspaceId;
  readonly teams: readonly TeamId[];
  readonly roles: readonly Role[];
  /** What the roles held in this workspace or in the whole organization allow there. */
  readonly permissions: ReadonlySet<Permission>;
  /** What the roles held in the whole organization allow everywhere. */
  readonly everywhere: ReadonlySet<Permission>;
  readonly costCentre: string | undefined;
};

export type PrincipalKind = 'user' | 'service' | 'agent';

/** Who acts, resolved. `principal` is whose authority counts; it is the person whenever there is one. */
export type ActorChain = {
  readonly kind: Exclude<PrincipalKind, 'agent'>;
  readonly principalId: UserId | ServiceId;
  /** The named human, or undefined: "no natural person was identified". */
  readonly person: UserId | undefined;
  /** Agents acting for the person, outermost (the presenter) first. */
  readonly agents: readonly AgentId[];
  /** The application through which the call came, where one proved itself. */
  readonly application: ServiceId | undefined;
  readonly standing: Standing;
  readonly keyId: KeyId | undefined;
  readonly environment: string | undefined;
  /** Model names to which the key is narrowed; undefined: all that the principal may call. */
  readonly narrowedTo: readonly string[] | undefined;
  readonly token: TokenProof | undefined;
  readonly proof: 'idp' | 'key';
};

/** Why a credential did not resolve. Callers outside see only `authentication_failed`; the record sees the reason. */
export type ResolveRefusal =
  | 'unknown_key'
  | 'key_revoked'
  | 'key_expired'
  | 'key_needs_user'
  | 'wrong_use'
  | 'unknown_issuer'
  | 'token_expired'
  | 'unknown_subject'
  | 'principal_unknown'
  | 'principal_inactive'
  | 'owner_inactive'
  | 'workspace_inactive'
  | 'application_mismatch'
  | 'not_an_application_key';
