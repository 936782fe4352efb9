// Owns the recorded state of every governed object: what tables hold, ledger entries carry and snapshots fold.

import { z } from 'zod';
import { roles } from '../access/permissions.ts';
import {
  clientMode,
  contentMode,
  costCentre,
  idOf,
  instant,
  meterScope,
  modelName,
  nanos,
  objectName,
  price,
  principalId,
  sha256Hex,
  status,
} from './scalars.ts';

export const organizationState = z.object({
  id: idOf('org'),
  slug: objectName,
  currency: z.literal('USD'),
  contentMode,
  /** A stricter or looser mode for prompts that carry a label. The strictest that matches wins. */
  contentByLabel: z.record(z.string(), contentMode),
  /** Whether addresses and user agents of callers are kept. Absent in what was recorded before: `sealed`. */
  clientMode: clientMode.optional(),
  /** The output ceiling in tokens where neither the request nor policy sets one. */
  outputCeiling: z.number().int().positive(),
  /** The price of a model that no table knows. */
  defaultPrice: price,
  minimumRetentionDays: z.number().int().nonnegative(),
  legalHold: z.boolean(),
  /** Names for address ranges, which policy sees as `context.network`. */
  networks: z.array(z.object({ name: objectName, cidrs: z.array(z.string()) })),
});

export const workspaceState = z.object({
  id: idOf('workspace'),
  name: objectName,
  costCentre: costCentre.optional(),
  status,
});

export const teamState = z.object({
  id: idOf('team'),
  workspaceId: idOf('workspace'),
  name: objectName,
  costCentre: costCentre.optional(),
});

/** A person. Name, address and subject are personal data and lie sealed beside the log. */
export const userState = z.object({
  id: idOf('user'),
  status: z.enum(['active', 'suspended', 'erased']),
  costCentre: costCentre.optional(),
  /** Who vouches for the person: the issuer, and a commitment to its subject. */
  external: z.object({ issuerId: idOf('tokenIssuer'), subject: sha256Hex }).optional(),
  /** Who made the account. Absent: the set-up, or an issuer. */
  madeBy: principalId.optional().describe('who made the account; absent: the set-up, or an issuer'),
});

export const serviceState = z.object({
  id: idOf('service'),
  name: objectName,
  workspaceId: idOf('workspace'),
  status,
  costCentre: costCentre.optional(),
  /** The `azp` or `client_id` by which trusted issuers name this application. */
  clientId: z.string().min(1).max(256).optional(),
});

export const agentState = z.object({
  id: idOf('agent'),
  name: objectName,
  ownerId: idOf('user'),
  workspaceId: idOf('workspace'),
  status,
});

/** The most teams that a principal is put into: an entry names all of whoever acts. */
export const mostTeams = 100;

/** A principal's place in a team. Being in a workspace follows from a role there, or in the whole organization. */
export const membershipState = z.object({
  id: idOf('membership'),
  principalId,
  teamId: idOf('team'),
  /** `direct`, or the issuer whose claims gave it (and alone may take it away). */
  source: z.union([z.literal('direct'), idOf('tokenIssuer')]),
});

export const roleAssignmentState = z.object({
  id: idOf('roleAssignment'),
  principalId,
  role: z.enum(roles),
  /** Absent: in the whole organization. */
  workspaceId: idOf('workspace').optional(),
  source: z.union([z.literal('direct'), idOf('tokenIssuer')]),
});

export const keyState = z.object({
  id: idOf('key'),
  name: z.string().min(1).max(64),
  /** SHA-256 of the whole key text; the secret has at least 192 random bits. */
  hash: sha256Hex,
  /** After a rotation: the former hash, good until `until`. */
  previous: z.object({ hash: sha256Hex, until: instant }).optional(),
  use: z.enum(['models', 'management']),
  principalId,
  workspaceId: idOf('workspace'),
  /** Absent: all models that the principal may call. */
  models: z.array(modelName).optional(),
  environment: objectName.optional(),
  costCentre: costCentre.optional(),
  /** A service's key that works only beside a person's token. */
  requireUser: z.boolean(),
  expiresAt: instant.optional(),
  status: z.enum(['active', 'revoked']),
  /** To whom the present secret was shown, by making the key or by rotating it. Absent: the set-up. */
  madeBy: principalId.optional().describe('who made it, or rotated it last; absent: the set-up'),
});

const claimPath = z.string().min(1).max(200);
export const tokenIssuerState = z.object({
  id: idOf('tokenIssuer'),
  name: objectName,
  issuer: z.url({ protocol: /^https?$/ }),
  /** Assigned by us, one per organization; a token must name it in `aud`. */
  audience: z.string().min(1),
  keys: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('discovery') }),
    z.object({ kind: z.literal('jwks_uri'), url: z.url({ protocol: /^https?$/ }) }),
    z.object({ kind: z.literal('jwks'), jwks: z.object({ keys: z.array(z.record(z.string(), z.json())) }) }),
  ]),
  algorithms: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA']))
    .min(1),
  claims: z.object({
    subject: claimPath,
    email: claimPath.optional(),
    name: claimPath.optional(),
    roles: claimPath.optional(),
    teams: claimPath.optional(),
    customer: claimPath.optional(),
  }),
  /** Claims that must be present and equal to, or one of, these values. */
  requiredClaims: z.record(z.string(), z.array(z.string()).min(1)),
  roleMap: z.record(z.string(), z.enum(roles)),
  teamMap: z.record(z.string(), idOf('team')),
  /** Make a user at the first valid token of an unknown subject. */
  justInTime: z.boolean(),
  workspaceId: idOf('workspace'),
  maxTokenAgeSeconds: z.number().int().positive().max(86_400),
  status,
});

export const providerKinds = ['openai', 'anthropic', 'openai_compatible', 'sandbox'] as const;
export const providerState = z.object({
  id: idOf('provider'),
  name: objectName,
  kind: z.enum(providerKinds),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** True when prompts sent here leave the organization's own control. */
  external: z.boolean(),
  /** SHA-256 of the provider key and its id: proves which key was in use, opens nothing. */
  keyCommitment: sha256Hex.optional(),
  timeouts: z.object({
    connectMs: z.number().int().min(100).max(60_000),
    firstByteMs: z.number().int().min(100).max(3_600_000),
    idleMs: z.number().int().min(100).max(600_000),
  }),
  /** Retry once before the first byte on these statuses. Empty: never. */
  retryStatuses: z.array(z.number().int().min(400).max(599)),
  status,
});

export const modelState = z.object({
  id: idOf('model'),
  /** What clients send. */
  name: modelName,
  aliases: z.array(modelName),
  providerId: idOf('provider'),
  /** What the provider is sent. */
  upstreamName: modelName,
  /** Absent: every workspace. */
  workspaceIds: z.array(idOf('workspace')).optional(),
  price: price.optional(),
  outputCeiling: z.number().int().positive().optional(),
  status,
});

export const budgetPeriods = ['day', 'week', 'month', 'total'] as const;
export const budgetState = z.object({
  id: idOf('budget'),
  name: objectName,
  scope: meterScope,
  period: z.enum(budgetPeriods),
  limitNanos: nanos,
  /** Percent of the limit at which an alert is recorded. */
  warnAtPercent: z.number().int().min(1).max(100),
  /** `stop` refuses the call that could pass the limit; `warn` only alerts. */
  action: z.enum(['stop', 'warn']),
});

export const rateLimitState = z.object({
  id: idOf('rateLimit'),
  name: objectName,
  scope: meterScope,
  requestsPerMinute: z.number().int().positive().optional(),
  tokensPerMinute: z.number().int().positive().optional(),
  concurrent: z.number().int().positive().optional(),
});

export const classifierState = z.object({
  id: idOf('classifier'),
  name: objectName,
  /** The label that a match gives. */
  label: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, {
      message: 'must be 1 to 63 of a-z 0-9 _ and start with a letter, such as `project_name`',
    })
    .meta({ examples: ['project_name'] }),
  terms: z.array(z.string().min(2).max(200)),
  patterns: z.array(z.string().min(1).max(1000)),
  caseSensitive: z.boolean(),
  wholeWord: z.boolean(),
});

/** The policy in force. Its version is the organization's version at which it was published; its text lies beside. */
export const policyState = z.object({
  id: idOf('org'),
  version: z.number().int().positive(),
  hash: sha256Hex,
});

/** Every kind of object with its schema: the one list that tables, entries, snapshots and replay share. */
export const objectSchemas = {
  organization: organizationState,
  workspace: workspaceState,
  team: teamState,
  user: userState,
  service: serviceState,
  agent: agentState,
  membership: membershipState,
  roleAssignment: roleAssignmentState,
  key: keyState,
  tokenIssuer: tokenIssuerState,
  provider: providerState,
  model: modelState,
  budget: budgetState,
  rateLimit: rateLimitState,
  classifier: classifierState,
  policy: policyState,
} as const;

export type ObjectKind = keyof typeof objectSchemas;
export type ObjectState<K extends ObjectKind> = z.infer<(typeof objectSchemas)[K]>;

export type Organization = ObjectState<'organization'>;
export type Workspace = ObjectState<'workspace'>;
export type Team = ObjectState<'team'>;
export type User = ObjectState<'user'>;
export type Service = ObjectState<'service'>;
export type Agent = ObjectState<'agent'>;
export type Membership = ObjectState<'membership'>;
export type RoleAssignment = ObjectState<'roleAssignment'>;
export type Key = ObjectState<'key'>;
export type TokenIssuer = ObjectState<'tokenIssuer'>;
export type Provider = ObjectState<'provider'>;
export type Model = ObjectState<'model'>;
export type Budget = ObjectState<'budget'>;
export type RateLimit = ObjectState<'rateLimit'>;
export type Classifier = ObjectState<'classifier'>;
export type Policy = ObjectState<'policy'>;

/** One object's new state, or its end (`null`). */
export type Change = {
  [K in ObjectKind]: { readonly kind: K; readonly id: string; readonly state: ObjectState<K> | null };
}[ObjectKind];
