// Owns what each operation may change: the kinds of objects, whether it makes, alters or ends them, and which members.

import type { ObjectKind } from '@countersign/core/directory/objects';
import type * as access from './access-operations.ts';
import type * as directory from './directory-operations.ts';
import type * as evidence from './evidence-operations.ts';
import type * as models from './model-operations.ts';
import type * as policy from './policy-operations.ts';

type CommandOf<M> = Extract<M[keyof M], { readonly id: string; readonly runs: 'command' }>['id'];

/** Every operation of the contract that changes something. */
export type CommandId =
  | CommandOf<typeof directory>
  | CommandOf<typeof access>
  | CommandOf<typeof models>
  | CommandOf<typeof policy>
  | CommandOf<typeof evidence>;

/** What the software does by itself: no request can name these. */
export const unaskedOperations = [
  'organization.init',
  'user.provision',
  'key.recover',
  'log.continue',
] as const;
export type UnaskedOperation = (typeof unaskedOperations)[number];

/** What may become of objects of one kind. `alters` lists the members that may differ afterwards. */
export type Effect = {
  readonly makes?: true;
  readonly alters?: readonly string[];
  readonly ends?: true;
};
export type Effects = { readonly [K in ObjectKind]?: Effect };

const makes = { makes: true } as const;
const ends = { ends: true } as const;
const alters = (...members: readonly string[]): Effect => ({ alters: members });

/**
 * By operation. INVARIANT: one that is not here changes nothing, and a new one does not compile without a line here:
 * who replays a log holds every change to the operation that is said to have made it.
 */
export const operationEffects: { readonly [I in CommandId | UnaskedOperation]: Effects } = {
  'organization.init': {
    organization: makes,
    workspace: makes,
    user: makes,
    roleAssignment: makes,
    provider: makes,
    model: makes,
    policy: makes,
    key: makes,
  },
  'organization.update': {
    organization: alters(
      'contentMode',
      'contentByLabel',
      'clientMode',
      'outputCeiling',
      'defaultPrice',
      'minimumRetentionDays',
      'legalHold',
      'networks',
    ),
  },
  'workspace.create': { workspace: makes },
  'workspace.update': { workspace: alters('name', 'costCentre', 'status') },
  'team.create': { team: makes },
  'team.update': { team: alters('name', 'costCentre') },
  'team.remove': { team: ends, membership: ends },
  'membership.create': { membership: makes },
  'membership.remove': { membership: ends },
  'user.create': { user: makes, roleAssignment: makes },
  'user.update': { user: alters('costCentre', 'status') },
  'user.erase': {
    user: alters('status', 'costCentre', 'external', 'madeBy'),
    key: alters('status'),
    agent: alters('status'),
    roleAssignment: ends,
    membership: ends,
  },
  'user.provision': {
    user: makes,
    roleAssignment: { makes: true, ends: true },
    membership: { makes: true, ends: true },
  },
  'service.create': { service: makes, roleAssignment: makes },
  'service.update': { service: alters('name', 'status', 'costCentre', 'clientId') },
  'agent.create': { agent: makes },
  'agent.update': { agent: alters('name', 'status') },
  'role_assignment.create': { roleAssignment: makes },
  'role_assignment.remove': { roleAssignment: ends },
  'key.create': { key: makes },
  'key.update': { key: alters('name', 'models', 'costCentre') },
  'key.rotate': { key: alters('hash', 'previous', 'madeBy') },
  'key.revoke': { key: alters('status', 'previous') },
  'key.recover': { key: makes },
  // The state at which a log goes on, object by object, at the beginning of the one that continues it.
  'log.continue': {
    organization: makes,
    workspace: makes,
    team: makes,
    user: makes,
    service: makes,
    agent: makes,
    membership: makes,
    roleAssignment: makes,
    key: makes,
    tokenIssuer: makes,
    provider: makes,
    model: makes,
    budget: makes,
    rateLimit: makes,
    classifier: makes,
    policy: makes,
  },
  'token_issuer.create': { tokenIssuer: makes },
  'token_issuer.update': {
    tokenIssuer: alters(
      'name',
      'keys',
      'algorithms',
      'claims',
      'requiredClaims',
      'roleMap',
      'teamMap',
      'justInTime',
      'workspaceId',
      'maxTokenAgeSeconds',
      'status',
    ),
  },
  'token_issuer.remove': { tokenIssuer: ends },
  'provider.create': { provider: makes },
  'provider.update': {
    provider: alters('baseUrl', 'external', 'keyCommitment', 'timeouts', 'retryStatuses', 'status'),
  },
  'provider.remove': { provider: ends },
  'model.create': { model: makes },
  'model.update': {
    model: alters('upstreamName', 'aliases', 'workspaceIds', 'price', 'outputCeiling', 'status'),
  },
  'model.remove': { model: ends },
  'budget.create': { budget: makes },
  'budget.update': { budget: alters('name', 'limitNanos', 'warnAtPercent', 'action') },
  'budget.remove': { budget: ends },
  'rate_limit.create': { rateLimit: makes },
  'rate_limit.update': {
    rateLimit: alters('name', 'requestsPerMinute', 'tokensPerMinute', 'concurrent'),
  },
  'rate_limit.remove': { rateLimit: ends },
  'classifier.create': { classifier: makes },
  'classifier.update': {
    classifier: alters('name', 'terms', 'patterns', 'caseSensitive', 'wholeWord'),
  },
  'classifier.remove': { classifier: ends },
  'policy.publish': { policy: { makes: true, alters: ['version', 'hash'] } },
  'record.content': {},
};

/** True for an operation that changes something, or that the software does by itself. */
export function hasEffects(id: string): id is CommandId | UnaskedOperation {
  return Object.hasOwn(operationEffects, id);
}
