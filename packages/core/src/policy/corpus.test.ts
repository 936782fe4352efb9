// Owns the running of the decision corpus, on the compiled rules and on the reference evaluator.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { z } from 'zod';
import { toCedarCall } from './cedar-request.ts';
import { type CompiledPolicy, type CompiledRule, compilePolicy } from './compile.ts';
import { decide, judge } from './decide.ts';
import { defaultPolicyText } from './default-policy.ts';
import { entityView } from './entity.ts';
import { explain } from './explain.ts';
import { evaluateRule } from './reference.ts';
import { cedarSchema } from './schema.ts';
import type { AnyRequest, Decision } from './types.ts';

const attributes = z.record(z.string(), z.json());
const entity = z.object({ type: z.string(), id: z.string(), in: z.array(z.string()), attributes });
const request = z.object({ principal: entity, action: z.string(), resource: entity, context: attributes });
const example = request.partial().extend({
  name: z.string(),
  /** Absent: the default policy. */
  policy: z.string().optional(),
  /** The request or the policy is one that the schema refuses. */
  outsideSchema: z.boolean().optional(),
  expect: z.object({
    outcome: z.enum(['allow', 'deny', 'requestable']),
    reason: z.string().optional(),
    policyIds: z.array(z.string()),
    obligations: attributes.optional(),
    errors: z.array(z.string()).optional(),
  }),
});
type Example = z.infer<typeof example>;

const folder = new URL('./corpus/', import.meta.url);
function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
}
const base = request.parse(readJson('base.json'));
const schema = cedarSchema();

function isValueRecord(value: unknown): value is AnyRequest['context'] {
  return typeof value === 'object' && value !== null;
}

function toView({ type, id, in: ancestors, attributes: held }: z.infer<typeof entity>) {
  assert.ok(isValueRecord(held));
  return entityView(type, id, ancestors, held);
}

function toRequest(given: Example): AnyRequest {
  const context = { ...base.context, ...given.context };
  assert.ok(isValueRecord(context));
  return {
    principal: toView(given.principal ?? base.principal),
    action: given.action ?? base.action,
    resource: toView(given.resource ?? base.resource),
    context,
  };
}

function compileText(text: string): CompiledPolicy {
  const parts = cedar.policySetTextToParts(text);
  assert.equal(parts.type, 'success', text);
  assert.ok(parts.policies.length <= 10, 'ids of ten or fewer policies sort as their places do');
  const est = parts.policies.map((part) => {
    const answer = cedar.policyToJson(part);
    assert.equal(answer.type, 'success', part);
    return answer.json;
  });
  const compiled = compilePolicy(est);
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return compiled.policy;
}

function decideByReference(policy: CompiledPolicy, given: AnyRequest): Decision {
  const outcomes = policy.rules.map((rule) => ({ rule, outcome: evaluateRule(rule.syntax, given) }));
  const satisfied = (effect: string): readonly CompiledRule[] =>
    outcomes.filter((o) => o.outcome.kind === 'true' && o.rule.effect === effect).map((o) => o.rule);
  const errors = outcomes.flatMap(({ rule, outcome }) =>
    outcome.kind === 'error' ? [{ rule, message: outcome.message }] : [],
  );
  return judge({ permits: satisfied('permit'), forbids: satisfied('forbid'), errors });
}

/** A copy without what JSON leaves out: members that are undefined. */
function withoutAbsent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** A decision in the corpus's words: erring rules by id, obligations without those that are absent. */
function summarize(decision: Decision): Example['expect'] {
  return {
    outcome: decision.outcome,
    policyIds: [...decision.policyIds],
    errors: decision.errors.map((error) => error.policyId),
    ...(decision.outcome === 'deny' ? { reason: decision.reason } : {}),
    ...(decision.outcome === 'allow'
      ? { obligations: example.shape.expect.shape.obligations.parse(withoutAbsent(decision.obligations)) }
      : {}),
  };
}

function assertInSchema(text: string, given: AnyRequest): void {
  const validated = cedar.validate({ schema, policies: { staticPolicies: text } });
  assert.equal(validated.type, 'success');
  const problems = validated.validationErrors.filter(
    ({ error }) => !error.message.includes('optional attribute'),
  );
  assert.deepEqual(problems, []);
  const answer = cedar.isAuthorized({
    ...toCedarCall(given),
    schema,
    validateRequest: true,
    policies: { staticPolicies: text },
  });
  assert.equal(answer.type, 'success', JSON.stringify(answer));
}

for (const file of readdirSync(folder).filter((name) => name !== 'base.json')) {
  for (const given of z.array(example).min(1).parse(readJson(file))) {
    test(`${file.slice(0, -5)}: ${given.name}`, () => {
      const text = given.policy ?? defaultPolicyText;
      const asked = toRequest(given);
      if (given.outsideSchema !== true) assertInSchema(text, asked);
      const policy = compileText(text);
      const expected = { errors: [], ...given.expect };
      assert.deepEqual(summarize(decide(policy, asked)), expected, 'compiled');
      assert.deepEqual(summarize(decideByReference(policy, asked)), expected, 'reference');
      const { decision, rules } = explain(policy, asked);
      assert.deepEqual(summarize(decision), expected, 'explained');
      const satisfied = rules.filter((rule) => rule.outcome === 'satisfied').map((rule) => rule.policyId);
      if (given.expect.outcome === 'allow') assert.deepEqual(satisfied, given.expect.policyIds);
      const erring = rules.filter((rule) => rule.outcome === 'error').map((rule) => rule.policyId);
      assert.deepEqual(erring, expected.errors);
    });
  }
}
