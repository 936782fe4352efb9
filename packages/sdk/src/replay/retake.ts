// Owns taking a decision again: the same rules over the same input, with everything else from the fold.

import { decideOnModel } from '@countersign/core/directory/decide-on-model';
import type { Directory } from '@countersign/core/directory/directory';
import { principalEntity } from '@countersign/core/directory/entities';
import type { Model, Provider } from '@countersign/core/directory/objects';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { ActionName } from '@countersign/core/policy/actions';
import type { CompiledPolicy } from '@countersign/core/policy/compile';
import { actionOnModel } from '@countersign/core/policy/endpoint-actions';
import { substituted } from '@countersign/core/policy/strictest';
import type { Attributes, Decision } from '@countersign/core/policy/types';

export type Selected = { readonly model: Model; readonly provider: Provider };

/** What replay can say of a call: the decision again, or why there was none to take. */
export type Retaken =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly selected: Selected }
  /** The model is not one that may be asked for: no policy was asked. */
  | { readonly kind: 'unselected'; readonly reason: Unselected }
  /** The entry does not hold what the decision read. */
  | { readonly kind: 'unknowable'; readonly why: string };

export type Unselected = 'unknown_model' | 'provider_suspended' | 'key_narrowed';

export type RetakeInput = {
  readonly directory: Directory;
  readonly rules: CompiledPolicy;
  readonly actor: ActorChain;
  readonly endpoint: string;
  /** The model's name as the caller sent it. */
  readonly asked: string;
  readonly context: Attributes;
};

function select({ directory, actor }: RetakeInput, name: string): Selected | Unselected {
  const model = directory.modelsByName.get(name);
  if (model?.status !== 'active') return 'unknown_model';
  const provider = directory.tables.provider.get(model.providerId);
  if (provider?.status !== 'active') return 'provider_suspended';
  if (actor.narrowedTo !== undefined && !actor.narrowedTo.includes(model.name)) return 'key_narrowed';
  return { model, provider };
}

function decideOver(input: RetakeInput, action: ActionName, { model, provider }: Selected): Decision {
  const { directory, rules, actor, context } = input;
  const principal = principalEntity(directory, actor);
  return decideOnModel({ directory, rules, principal, action, context }, model, provider);
}

const unknownSubstitute: Decision = {
  outcome: 'deny',
  reason: 'no_permit',
  policyIds: ['obligation-model-unknown'],
  errors: [],
};

/**
 * Takes the decision over a model call again. A model that an obligation names instead is decided on by
 * itself, so that an obligation opens nothing.
 */
export function retake(input: RetakeInput): Retaken {
  const action = actionOnModel(input.endpoint);
  if (action === undefined) {
    return { kind: 'unknowable', why: `the endpoint \`${input.endpoint}\` has no model to decide on` };
  }
  const selected = select(input, input.asked);
  if (typeof selected === 'string') return { kind: 'unselected', reason: selected };
  const first = decideOver(input, action, selected);
  if (first.outcome !== 'allow' || first.obligations.model === undefined)
    return { kind: 'decided', decision: first, selected };
  const other = select(input, first.obligations.model);
  if (typeof other === 'string') return { kind: 'decided', decision: unknownSubstitute, selected };
  const again = decideOver(input, action, other);
  if (again.outcome !== 'allow') return { kind: 'decided', decision: again, selected };
  const decision = substituted(first, again, other.model.name);
  return { kind: 'decided', decision, selected: other };
}
