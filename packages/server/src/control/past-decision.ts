// Owns taking a recorded call's decision again under other rules: its input from the entry, its model as it is now.

import { type Role, roles } from '@countersign/core/access/permissions';
import {
  type Destination,
  decideOnCall,
  furtherModels,
  type RecordedQuestion,
} from '@countersign/core/directory/decide-on-call';
import type { Directory } from '@countersign/core/directory/directory';
import { principalEntity } from '@countersign/core/directory/entities';
import { namedModels } from '@countersign/core/directory/named-models';
import type { Model, Provider } from '@countersign/core/directory/objects';
import type { ActorChain } from '@countersign/core/identity/actor';
import { isId } from '@countersign/core/ids';
import { isObject } from '@countersign/core/json';
import type { CallIntent } from '@countersign/core/ledger/entry';
import type { CompiledPolicy } from '@countersign/core/policy/compile';
import type { Attributes, Decision, EntityView, Value } from '@countersign/core/policy/types';

/** Refusals before policy was asked: there was no decision to take again. */
const beforePolicy: ReadonlySet<string> = new Set([
  'unknown_model',
  'provider_suspended',
  'key_narrowed',
  'no_permission',
  'foreign_id',
  'record_too_large',
]);

function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}

function isValue(value: unknown): value is Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return true;
    default:
      return Array.isArray(value) ? value.every(isValue) : isAttributes(value);
  }
}

function isAttributes(value: unknown): value is Attributes {
  return isObject(value) && Object.values(value).every(isValue);
}

/** The principal as it was recorded: roles, teams and workspace of that moment. */
function principalOf(directory: Directory, { actor, cc }: CallIntent): EntityView | undefined {
  const { id, ws } = actor;
  if (ws === undefined || !isId('workspace', ws)) return undefined;
  const isUser = isId('user', id);
  if (!isUser && !isId('service', id)) return undefined;
  const chain: ActorChain = {
    kind: isUser ? 'user' : 'service',
    principalId: id,
    person: isUser ? id : undefined,
    agents: [],
    application: undefined,
    standing: {
      principalId: id,
      workspaceId: ws,
      teams: (actor.teams ?? []).filter((team) => isId('team', team)),
      roles: (actor.roles ?? []).filter(isRole),
      permissions: new Set(),
      everywhere: new Set(),
      costCentre: cc,
    },
    keyId: undefined,
    environment: undefined,
    narrowedTo: undefined,
    token: undefined,
    proof: 'key',
  };
  return principalEntity(directory, chain);
}

function destinationOf(directory: Directory, model: Model | undefined): Destination | undefined {
  const provider = directory.tables.provider.get(model?.providerId ?? '');
  return model === undefined || provider === undefined ? undefined : { model, provider };
}

/** Where the call went, as the directory is now. */
function recordedDestination(
  directory: Directory,
  { model = '', resource, owned = resource, pinned }: CallIntent['target'],
): Destination | undefined {
  const { modelsByName, tables } = directory;
  if (model !== '' || owned !== undefined)
    return destinationOf(directory, modelsByName.get(model) ?? tables.model.get(owned ?? ''));
  const provider = directory.providersByName.get(pinned ?? '');
  return provider === undefined ? undefined : { model: undefined, provider };
}

/** The models that a body named beside its own, as its provider reads those names; undefined where one is gone. */
function othersAt(
  directory: Directory,
  provider: Provider,
  context: Attributes,
): readonly Destination[] | undefined {
  const others: Destination[] = [];
  for (const name of furtherModels(context)) {
    const named = namedModels(directory, provider, name);
    if (named.length === 0) return undefined;
    others.push(...named.map((model) => ({ model, provider })));
  }
  return others;
}

/**
 * The decision that `rules` give for a recorded call, or undefined where the entry or the directory does not hold
 * what it needs: a model or provider that is gone, a refusal before policy.
 */
export function decideAgain(
  directory: Directory,
  rules: CompiledPolicy,
  entry: CallIntent,
): Decision | undefined {
  const { target, policy, ctx } = entry;
  const principal = principalOf(directory, entry);
  const to = recordedDestination(directory, target);
  if (principal === undefined || to === undefined) return undefined;
  if (beforePolicy.has(policy.reason ?? '') || !isAttributes(ctx)) return undefined;
  const others = othersAt(directory, to.provider, ctx);
  if (others === undefined) return undefined;
  const input: RecordedQuestion = { directory, rules, principal, target, context: ctx };
  const first = decideOnCall(input, to, others);
  if (first?.outcome !== 'allow' || first.obligations.model === undefined) return first;
  // A model that an obligation names instead is decided on by itself, so that an obligation opens nothing.
  const other = destinationOf(directory, directory.modelsByName.get(first.obligations.model));
  return other === undefined
    ? { ...first, outcome: 'deny', reason: 'no_permit' }
    : decideOnCall(input, other, othersAt(directory, other.provider, ctx) ?? []);
}
