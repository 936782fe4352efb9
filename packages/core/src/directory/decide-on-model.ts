// Owns taking the decision over a recorded call again: its model, then each hosted tool that its context names.

import type { ActionName } from '../policy/actions.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { decide } from '../policy/decide.ts';
import { strictest } from '../policy/strictest.ts';
import type { Attributes, Decision, EntityView } from '../policy/types.ts';
import type { Directory } from './directory.ts';
import { hostedToolEntity, modelEntity } from './entities.ts';
import type { Model, Provider } from './objects.ts';

export type RecordedQuestion = {
  readonly directory: Directory;
  readonly rules: CompiledPolicy;
  readonly principal: EntityView;
  readonly action: ActionName;
  /** The context as it was recorded. */
  readonly context: Attributes;
};

/** The decision over `model` of `provider`; the strictest one when the call had hosted tools. */
export function decideOnModel(question: RecordedQuestion, model: Model, provider: Provider): Decision {
  const { directory, rules, principal, action, context } = question;
  const { hostedTools } = context;
  const tools = Array.isArray(hostedTools) ? hostedTools.filter((tool) => typeof tool === 'string') : [];
  return tools.reduce<Decision>(
    (decision, tool) => {
      const resource = hostedToolEntity(directory, provider, tool);
      return strictest(decision, decide(rules, { principal, action: 'use_hosted_tool', resource, context }));
    },
    decide(rules, { principal, action, resource: modelEntity(directory, model, provider), context }),
  );
}
