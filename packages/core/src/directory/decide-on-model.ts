// Owns taking the decision over a recorded call again: its model, then each other model and hosted tool that its context names.

import type { ActionName } from '../policy/actions.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';
import { strictest } from '../policy/strictest.ts';
import type { Attributes, Decision, EntityView } from '../policy/types.ts';
import type { Directory } from './directory.ts';
import { hostedToolEntity, modelEntity } from './entities.ts';
import { namedModels } from './named-models.ts';
import type { Model, Provider } from './objects.ts';

export type RecordedQuestion = {
  readonly directory: Directory;
  readonly rules: CompiledPolicy;
  readonly principal: EntityView;
  readonly action: ActionName;
  /** The context as it was recorded. */
  readonly context: Attributes;
};

function texts(value: Attributes[string] | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The decision over `model` of `provider`; the strictest one when the call had hosted tools or named other models. */
export function decideOnModel(question: RecordedQuestion, model: Model, provider: Provider): Decision {
  const { directory, rules, principal, action, context } = question;
  const over = (one: Model) =>
    decide(rules, { principal, action, resource: modelEntity(directory, one, provider), context });
  const others = texts(context.otherModels).flatMap((name) => namedModels(directory, provider, name));
  const onModels = others.reduce<Decision>(
    (decision, other) => strictest(decision, over(other)),
    over(model),
  );
  return texts(context.hostedTools).reduce<Decision>((decision, tool) => {
    const resource = hostedToolEntity(directory, provider, tool);
    return strictest(decision, decide(rules, { principal, action: 'use_hosted_tool', resource, context }));
  }, onModels);
}
