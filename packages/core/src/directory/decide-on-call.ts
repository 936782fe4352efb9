// Owns taking the decision over a recorded call again: its route or model, what else its body names, its hosted tools.

import type { ActionName } from '../policy/actions.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';
import { actionNamed } from '../policy/endpoint-actions.ts';
import { strictest } from '../policy/strictest.ts';
import type { Attributes, Decision, EntityView } from '../policy/types.ts';
import type { Directory } from './directory.ts';
import { hostedToolEntity, modelEntity, routeEntity } from './entities.ts';
import type { Model, Provider } from './objects.ts';

/** What was asked for, as the entry's target says it. */
export type RecordedTarget = {
  readonly endpoint?: string | undefined;
  readonly method?: string | undefined;
  readonly route?: string | undefined;
};

export type RecordedQuestion = {
  readonly directory: Directory;
  readonly rules: CompiledPolicy;
  readonly principal: EntityView;
  readonly target: RecordedTarget;
  /** The context as it was recorded. */
  readonly context: Attributes;
};

/** Where a call goes. `model` is absent where a route is passed through and its body names none. */
export type Destination = { readonly model: Model | undefined; readonly provider: Provider };

/** What policy is first asked about; undefined where the endpoint is unknown or lacks its model. */
function firstQuestion(
  { directory, target }: RecordedQuestion,
  { model, provider }: Destination,
): { readonly action: ActionName; readonly resource: EntityView } | undefined {
  const action = actionNamed(target.endpoint ?? '');
  if (action === 'passthrough') {
    const { method = '', route = '' } = target;
    return { action, resource: routeEntity(directory, provider, method, route) };
  }
  return action === undefined || model === undefined
    ? undefined
    : { action, resource: modelEntity(directory, model, provider) };
}

/** The names in a recorded context of the models that the call's body names beside its own. */
export function furtherModels({ otherModels }: Attributes): readonly string[] {
  return Array.isArray(otherModels) ? otherModels.filter((name) => typeof name === 'string') : [];
}

/** Kinds of provider that open what they sealed themselves, and refuse anything else in its place. */
const opening: ReadonlySet<Provider['kind']> = new Set(['openai', 'anthropic']);

/** True when what stands in the place of sealed data means nothing to this provider but to the one that sealed it. */
export function opensSealed({ kind }: Provider): boolean {
  return opening.has(kind);
}

/** True for a prompt with sealed data, classified for a provider that opens its own, which is to go to one that does not. */
export function sealedElsewhere(labels: unknown, provider: Provider): boolean {
  return Array.isArray(labels) && labels.includes('provider_sealed') && !opensSealed(provider);
}

/**
 * The decision over a call to `to` whose body also names `others`: the strictest over all that it asks for.
 * Undefined where the record's endpoint is none of ours.
 */
export function decideOnCall(
  question: RecordedQuestion,
  to: Destination,
  others: readonly Destination[],
): Decision | undefined {
  const { directory, rules, principal, context } = question;
  const first = firstQuestion(question, to);
  if (first === undefined) return undefined;
  const ask = (action: ActionName, resource: EntityView): Decision =>
    decide(rules, { principal, action, resource, context });
  const also: Decision[] = [];
  // A body that names a model is a call of that model too, whatever its path.
  const actionOnModel = first.action === 'passthrough' ? 'chat' : first.action;
  if (first.action === 'passthrough' && to.model !== undefined)
    also.push(ask(actionOnModel, modelEntity(directory, to.model, to.provider)));
  for (const { model, provider } of others) {
    if (model !== undefined) also.push(ask(actionOnModel, modelEntity(directory, model, provider)));
  }
  const tools = Array.isArray(context.hostedTools) ? context.hostedTools : [];
  for (const tool of tools) {
    if (typeof tool === 'string')
      also.push(ask('use_hosted_tool', hostedToolEntity(directory, to.provider, tool)));
  }
  return also.reduce(strictest, ask(first.action, first.resource));
}
