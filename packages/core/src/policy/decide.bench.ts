// Owns the measurement of a decision over 2,000 rules, the building of its request included. Takes the number of rounds.

import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { compilePolicy } from './compile.ts';
import { decide } from './decide.ts';
import { entityRef, entityView, uidKey } from './entity.ts';
import type { DecisionRequest, EntityView } from './types.ts';

const rules = 2000;
const rounds = Number(process.argv[2] ?? 7);
const perRound = 20_000;

/** A policy as a large organization has it: most rules belong to a team, some to all; every shape of condition. */
function ruleText(i: number): string {
  const team = `Team::"team_${i % 400}"`;
  if (i % 100 === 0)
    return `forbid(principal, action, resource) when { context.opaque && context.tokens > ${i} };`;
  if (i % 100 === 1) {
    return `forbid(principal, action in Action::"call_model", resource) when { resource has external && resource.external && context.labels.containsAny(["secret", "label_${i}"]) };`;
  }
  switch (i % 5) {
    case 0:
      return `permit(principal in ${team}, action == Action::"chat", resource in Provider::"prv_${i % 7}") when { context.tokens < ${1000 + i} };`;
    case 1:
      return `permit(principal, action, resource == Model::"mdl_${i}") when { principal in ${team} && context.time.hour >= 8 && context.time.hour < 18 };`;
    case 2:
      return `permit(principal in ${team}, action in Action::"call_model", resource is Model) unless { context.labels.contains("email") };`;
    case 3:
      return `forbid(principal in ${team}, action, resource) when { context has agent && context.agent.depth > 3 };`;
    default:
      return `permit(principal == User::"usr_${i}", action, resource) when { context.network.contains("office") || context.authentication.strength >= 2 };`;
  }
}

function compile() {
  const est = Array.from({ length: rules }, (_, i) => {
    const answer = cedar.policyToJson(ruleText(i));
    if (answer.type !== 'success') throw new Error(JSON.stringify(answer));
    return answer.json;
  });
  const result = compilePolicy(est);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

function principals(): readonly EntityView[] {
  return Array.from({ length: 1000 }, (_, i) => {
    const teams = [i, i + 1, i + 2].map((n) => uidKey('Team', `team_${n % 400}`));
    const ancestors = [
      ...teams,
      uidKey('Role', 'member'),
      uidKey('Workspace', 'ws'),
      uidKey('Organization', 'o'),
    ];
    return entityView('User', `usr_${i}`, ancestors, { person: true, roles: ['member'], teams: ['red'] });
  });
}

function models(): readonly EntityView[] {
  return Array.from({ length: 50 }, (_, i) =>
    entityView('Model', `mdl_${i}`, [uidKey('Provider', `prv_${i % 7}`), uidKey('Workspace', 'ws')], {
      name: `model-${i}`,
      upstream: `model-${i}`,
      provider: `provider-${i % 7}`,
      external: i % 2 === 0,
    }),
  );
}

const workspace = entityRef('Workspace', 'ws');

function buildRequest(principal: EntityView, resource: EntityView, i: number): DecisionRequest {
  return {
    principal,
    action: 'chat',
    resource,
    context: {
      workspace,
      workspaceName: 'main',
      endpoint: 'chat',
      dialect: 'openai',
      stream: i % 2 === 0,
      labels: i % 3 === 0 ? ['email', 'phone'] : [],
      counts: i % 3 === 0 ? { total: 3, email: 2, phone: 1 } : { total: 0 },
      opaque: i % 50 === 0,
      tokens: i % 4000,
      maxOutput: 1000,
      hostedTools: [],
      time: { epoch: 1793523600 + i, hour: i % 24, weekday: 1 + (i % 7) },
      network: ['office'],
      authentication: { proof: 'idp', amr: ['pwd', 'otp'], strength: 2, age: i % 3600 },
      key: { id: 'key_1', environment: 'production' },
      agent: i % 4 === 0 ? { id: 'agt', chain: ['agt'], depth: 1 } : undefined,
      claimed: { tags: [] },
    },
  };
}

function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const policy = compile();
const people = principals();
const catalogue = models();
const outcomes = new Map<string, number>();
const p50: number[] = [];
const p99: number[] = [];
for (let round = 0; round <= rounds; round += 1) {
  const times = new Float64Array(perRound);
  for (let i = 0; i < perRound; i += 1) {
    const started = performance.now();
    const principal = people[(i * 7) % people.length];
    const resource = catalogue[(i * 11) % catalogue.length];
    if (principal === undefined || resource === undefined) throw new Error('nobody to ask for');
    const { outcome } = decide(policy, buildRequest(principal, resource, i));
    times[i] = (performance.now() - started) * 1000;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // The first round warms up.
  if (round === 0) continue;
  times.sort();
  p50.push(quantile(times, 0.5));
  p99.push(quantile(times, 0.99));
}
console.log(
  `${rules} rules, ${rounds} rounds of ${perRound} decisions with request building: ` +
    `p50 ${median(p50).toFixed(2)} µs, p99 ${median(p99).toFixed(2)} µs (medians of rounds)`,
);
console.log(Object.fromEntries(outcomes));
console.log(JSON.stringify({ figures: 'decisions', rules, rounds, perRound, p50, p99 }));
