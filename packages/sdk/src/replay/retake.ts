// Owns taking a decision again: the same rules over the same input, with everything else from the fold.

import {
  type Destination,
  decideOnCall,
  furtherModels,
  sealedElsewhere,
} from '@countersign/core/directory/decide-on-call';
import type { Directory } from '@countersign/core/directory/directory';
import { principalEntity } from '@countersign/core/directory/entities';
import { namedModels } from '@countersign/core/directory/named-models';
import type { Provider } from '@countersign/core/directory/objects';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { CallIntent } from '@countersign/core/ledger/entry';
import type { CompiledPolicy } from '@countersign/core/policy/compile';
import { substituted } from '@countersign/core/policy/strictest';
import type { Attributes, Decision } from '@countersign/core/policy/types';

/** What replay can say of a call: the decision again, or why there was none to take. */
export type Retaken =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly selected: Destination }
  /** Refused before policy was asked. */
  | { readonly kind: 'unasked'; readonly reason: Unasked }
  /** The entry names an endpoint that is none of ours. */
  | { readonly kind: 'unknown_endpoint' };

/** The refusals before policy; what refuses after it (budgets, limits) keeps policy's own decision. */
const unaskedReasons = ['unknown_model', 'provider_suspended', 'key_narrowed', 'no_permission'] as const;

export type Unasked = (typeof unaskedReasons)[number];

/** True for a recorded reason that says that policy was not asked. */
export function isUnasked(reason: string | undefined): reason is Unasked {
  return unaskedReasons.some((one) => one === reason);
}

export type RetakeInput = {
  readonly directory: Directory;
  readonly rules: CompiledPolicy;
  readonly actor: ActorChain;
  readonly target: CallIntent['target'];
  readonly context: Attributes;
};

function selectModel(
  { directory, actor }: Pick<RetakeInput, 'directory' | 'actor'>,
  name: string,
  pinned: string | undefined,
): Destination | Unasked {
  const model = directory.modelsByName.get(name);
  if (model?.status !== 'active') return 'unknown_model';
  const provider = directory.tables.provider.get(model.providerId);
  if (provider?.status !== 'active') return 'provider_suspended';
  if (pinned !== undefined && provider.name !== pinned) return 'unknown_model';
  if (actor.narrowedTo !== undefined && !actor.narrowedTo.includes(model.name)) return 'key_narrowed';
  return { model, provider };
}

/** Where the call had to go, by the rules of the gateway's own selection. */
export function selectTarget(input: Omit<RetakeInput, 'rules' | 'context'>): Destination | Unasked {
  const { directory, actor, target } = input;
  const { endpoint, model: name = '', pinned, owned } = target;
  if (endpoint === 'response_object') {
    const model = directory.tables.model.get(owned ?? '');
    return model === undefined ? 'unknown_model' : selectModel(input, model.name, pinned);
  }
  if (endpoint !== 'passthrough' || name !== '') return selectModel(input, name, pinned);
  const provider = directory.providersByName.get(pinned ?? '');
  if (provider?.status !== 'active') return 'provider_suspended';
  return actor.narrowedTo === undefined ? { model: undefined, provider } : 'key_narrowed';
}

/** The models that the body names beside its own: its provider reads those names. */
function selectOthers(input: RetakeInput, provider: Provider): readonly Destination[] | Unasked {
  const others: Destination[] = [];
  for (const name of furtherModels(input.context)) {
    const named = namedModels(input.directory, provider, name);
    if (named.length === 0) return 'unknown_model';
    for (const model of named) {
      const other = selectModel(input, model.name, undefined);
      if (typeof other === 'string') return other;
      others.push(other);
    }
  }
  return others;
}

/** Everything that the body names must be there, in the order in which the gateway looks. */
function selectAll(
  input: RetakeInput,
): { readonly found: Destination; readonly others: readonly Destination[] } | Unasked {
  const found = selectTarget(input);
  if (typeof found === 'string') return found;
  const others = selectOthers(input, found.provider);
  if (typeof others === 'string') return others;
  return input.actor.standing.permissions.has('models.call') ? { found, others } : 'no_permission';
}

const unknownSubstitute: Decision = {
  outcome: 'deny',
  reason: 'no_permit',
  policyIds: ['obligation-model-unknown'],
  errors: [],
};

/**
 * Takes the decision over a call again. A model that an obligation names instead is decided on by itself, so
 * that an obligation opens nothing.
 */
export function retake(input: RetakeInput): Retaken {
  const { directory, actor } = input;
  const selection = selectAll(input);
  if (typeof selection === 'string') return { kind: 'unasked', reason: selection };
  const { found, others } = selection;
  const question = { ...input, principal: principalEntity(directory, actor) };
  const first = decideOnCall(question, found, others);
  if (first === undefined) return { kind: 'unknown_endpoint' };
  if (first.outcome !== 'allow' || first.obligations.model === undefined)
    return { kind: 'decided', decision: first, selected: found };
  const other = selectModel(input, first.obligations.model, undefined);
  const named = typeof other === 'string' ? other : selectOthers(input, other.provider);
  const isUnfit =
    typeof other === 'string' ||
    typeof named === 'string' ||
    sealedElsewhere(input.context.labels, other.provider);
  const again = isUnfit ? undefined : decideOnCall(question, other, named);
  if (typeof other === 'string' || again === undefined)
    return { kind: 'decided', decision: unknownSubstitute, selected: found };
  if (again.outcome !== 'allow') return { kind: 'decided', decision: again, selected: found };
  const decision = substituted(first, again, other.model?.name ?? '');
  return { kind: 'decided', decision, selected: other };
}
