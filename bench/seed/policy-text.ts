// Owns the policy of a seeded organization: rules as a company has them, of which nearly none matches a call.

import type { ModelId, TeamId } from '@countersign/core/ids';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';

/** What rules name: at least one of each. */
export type PolicySubjects = {
  readonly teams: readonly TeamId[];
  /** Models that rules speak of; those that the load calls need not be among them. */
  readonly models: readonly ModelId[];
};

function pick<T>(items: readonly T[], i: number): T {
  const item = items[i % items.length];
  if (item === undefined) throw new Error('a policy needs teams and models to speak of');
  return item;
}

/** Rule `i`, one of eight shapes: by team, by role, by model, by time, network, labels and agents. */
function ruleText(i: number, { teams, models }: PolicySubjects): string {
  const team = `Team::"${pick(teams, i)}"`;
  const model = `Model::"${pick(models, i * 7)}"`;
  switch (i % 8) {
    case 0:
      return `permit (principal in ${team}, action == Action::"chat", resource == ${model}) when { context.tokens < ${20_000 + i} };`;
    case 1:
      return `forbid (principal in ${team}, action in Action::"call_model", resource == ${model}) when { context.labels.contains("national_id") };`;
    case 2:
      return `permit (principal in Role::"viewer", action == Action::"embed", resource == ${model}) when { context.time.hour >= 8 && context.time.hour < 18 };`;
    case 3:
      return `forbid (principal in ${team}, action, resource) when { context has agent && context.agent.depth > ${1 + (i % 4)} };`;
    case 4:
      return `permit (principal in ${team}, action == Action::"use_hosted_tool", resource is Tool) when { resource.name == "web_search" && context.network.contains("office-${i}") };`;
    case 5:
      return `forbid (principal in Role::"billing_admin", action in Action::"call_model", resource == ${model}) unless { context.authentication.strength >= 2 };`;
    case 6:
      return `permit (principal in ${team}, action == Action::"passthrough", resource is Route) when { resource.path like "/v1/files/${i}*" && resource.method == "GET" };`;
    default:
      return `forbid (principal in ${team}, action == Action::"complete", resource == ${model}) when { context.opaque && context.tokens > ${1000 + i} };`;
  }
}

/** The default policy, and `count` rules in all (at least those of the default policy). */
export function policyText(count: number, subjects: PolicySubjects): string {
  const ofDefault = defaultPolicyText.split(/^@id\(/m).length - 1;
  const rules = Array.from({ length: Math.max(0, count - ofDefault) }, (_, i) => {
    return `@id("rule-${i}")\n${ruleText(i, subjects)}\n`;
  });
  return [defaultPolicyText, ...rules].join('\n');
}
