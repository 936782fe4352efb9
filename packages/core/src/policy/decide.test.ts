// Owns claims about compilation, obligations, explanations and the index that the corpus cannot state.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { parseJson } from '../parse-json.ts';
import { unite } from './annotations.ts';
import { toCedarCall } from './cedar-request.ts';
import { type CompiledPolicy, compilePolicy } from './compile.ts';
import { decide } from './decide.ts';
import { defaultPolicyText } from './default-policy.ts';
import { entityView } from './entity.ts';
import { explain } from './explain.ts';
import { likeMatcher } from './pattern.ts';
import { seededRandom } from './random-policy.ts';
import { literalsOf, randomRequest } from './random-request.ts';
import { cedarSchema } from './schema.ts';
import { simulate } from './simulate.ts';
import type { AnyRequest, Attributes } from './types.ts';
import { calculate } from './values.ts';

function estOf(...texts: readonly string[]): readonly unknown[] {
  return texts.map((text) => {
    const answer = cedar.policyToJson(text);
    assert.equal(answer.type, 'success', JSON.stringify(answer));
    return answer.json;
  });
}

function compiled(...texts: readonly string[]): CompiledPolicy {
  const result = compilePolicy(estOf(...texts));
  assert.ok(result.ok, JSON.stringify(result));
  return result.policy;
}

function problemsOf(...texts: readonly string[]): string {
  const result = compilePolicy(estOf(...texts));
  assert.ok(!result.ok);
  return result.problems.map((problem) => `${problem.position}: ${problem.message}`).join('; ');
}

function requestWith(context: Attributes, ancestors: readonly string[] = []): AnyRequest {
  return {
    principal: entityView('User', 'u', ancestors, { person: true }),
    action: 'chat',
    resource: entityView('Model', 'm', [], {}),
    context,
  };
}

test('an integer literal beyond 2^53 - 1 is refused at compilation', () => {
  const text = 'permit(principal, action, resource) when { context.n < 9007199254740993 };';
  assert.match(problemsOf(text), /0: an integer literal is beyond ±9007199254740991/);
});

test('a datetime function is refused with the way to say it', () => {
  const [problem] = [
    compilePolicy(
      estOf('permit(principal, action, resource) when { datetime("2026-01-01") < datetime("2027-01-01") };'),
    ),
  ];
  assert.ok(problem !== undefined && !problem.ok);
  assert.match(problem.problems[0]?.message ?? '', /`datetime` is not supported/);
  assert.match(problem.problems[0]?.help ?? '', /context\.time\.epoch/);
});

test('two rules with one id are refused, and so is an id that a nameless rule already has', () => {
  const permit = 'permit(principal, action, resource);';
  assert.match(problemsOf(`@id("a") ${permit}`, `@id("a") ${permit}`), /1: the id `a` is taken by rule 1/);
  assert.match(problemsOf(`@id("policy1") ${permit}`, permit), /1: the id `policy1` is taken/);
});

test('an annotation that is misspelt or misplaced is refused, an x_ annotation is not', () => {
  assert.match(problemsOf('@redcat("email") permit(principal, action, resource);'), /`@redcat` is unknown/);
  assert.match(problemsOf('@redact("email") forbid(principal, action, resource);'), /stands on a forbid/);
  assert.match(problemsOf('@requestable permit(principal, action, resource);'), /stands on a permit/);
  assert.match(problemsOf('@max_tokens("0") permit(principal, action, resource);'), /positive whole number/);
  assert.match(problemsOf('@content("hide") permit(principal, action, resource);'), /is unknown/);
  assert.match(problemsOf('@redact("E-Mail") permit(principal, action, resource);'), /not a label/);
  assert.equal(compiled('@x_ticket("OPS 1") permit(principal, action, resource);').rules.length, 1);
});

test('all problems are reported, not only the first', () => {
  const wrong = '@redcat("x") permit(principal, action, resource);';
  assert.match(problemsOf(wrong, 'permit(principal, action, resource);', wrong), /^0: .*; 2: /);
});

test('an expression that nests too deeply is refused, a long chain is not', () => {
  let nested = '{"Value": true}';
  for (let i = 0; i < 5000; i += 1) nested = `{"!": {"arg": ${nested}}}`;
  const deep: unknown = parseJson(
    `{"effect": "permit", "principal": {"op": "All"}, "action": {"op": "All"}, "resource": {"op": "All"},
      "conditions": [{"kind": "when", "body": ${nested}}]}`,
  );
  const refused = compilePolicy([deep]);
  assert.ok(!refused.ok);
  assert.match(refused.problems[0]?.message ?? '', /nests deeper/);
  const terms = Array.from({ length: 300 }, (_, i) => `context.n != ${i}`).join(' && ');
  const policy = compiled(`permit(principal, action, resource) when { ${terms} };`);
  assert.equal(decide(policy, requestWith({ n: 300 })).outcome, 'allow');
  assert.equal(decide(policy, requestWith({ n: 299 })).outcome, 'deny');
});

test('a result beyond 2^53 keeps every digit, a result beyond 2^63 errs', () => {
  const big = 9007199254740991;
  const exact = compiled('permit(principal, action, resource) when { context.n + 2 == context.n + 1 + 1 };');
  assert.equal(decide(exact, requestWith({ n: big })).outcome, 'allow');
  const rounded = compiled('permit(principal, action, resource) when { context.n + 1 == context.n + 2 };');
  assert.equal(decide(rounded, requestWith({ n: big })).outcome, 'deny');
  const overflow = compiled(
    'permit(principal, action, resource) when { context.n * 2000 - context.n * 1999 > 0 };',
  );
  assert.equal(decide(overflow, requestWith({ n: big })).errors.length, 1);
});

test('a set with a stray value errs, even where an entity before it matches', () => {
  const policy = compiled(
    'permit(principal, action, resource) when { principal in [principal, context.n] };',
  );
  const { outcome, errors } = decide(policy, requestWith({ n: 1 }));
  assert.deepEqual([outcome, errors.length], ['deny', 1]);
});

test('a denial because a forbid errs names it and the satisfied ones, in the order of the text', () => {
  const erring = 'forbid(principal, action, resource) when { context.absent == 1 };';
  const asking = '@requestable("") forbid(principal, action, resource);';
  const decision = decide(compiled(erring, asking, erring, asking), requestWith({}));
  assert.deepEqual(decision.outcome === 'deny' && [decision.reason, decision.policyIds], [
    'error',
    ['policy0', 'policy1', 'policy2', 'policy3'],
  ]);
});

test('64-bit arithmetic agrees with exact arithmetic', () => {
  const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const narrow = (n: bigint): number | bigint => (Number.isSafeInteger(Number(n)) ? Number(n) : n);
  fc.assert(
    fc.property(long, long, fc.constantFrom('+', '-', '*'), (a, b, op) => {
      const exact = op === '+' ? a + b : op === '-' ? a - b : a * b;
      if (BigInt.asIntN(64, exact) !== exact) assert.throws(() => calculate(op, narrow(a), narrow(b)));
      else assert.equal(BigInt(calculate(op, narrow(a), narrow(b))), exact);
    }),
  );
});

test('like takes time in proportion to the text, however many wildcards the pattern has', () => {
  const matches = likeMatcher(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? null : 'aab')));
  const started = performance.now();
  assert.equal(matches('a'.repeat(200_000)), false);
  assert.equal(likeMatcher([null, 'aab', null, 'aab'])('aabab'), false);
  assert.ok(performance.now() - started < 1000);
});

test('like agrees with a regular expression', () => {
  const piece = fc.constantFrom<(string | null)[]>(null, 'a', 'b', 'ab');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b') }),
      (pattern, text) => {
        const source = pattern.map((part) => part ?? '.*').join('');
        assert.equal(likeMatcher(pattern)(text), new RegExp(`^${source}$`).test(text));
      },
    ),
    { numRuns: 3000 },
  );
});

test('the union of obligations does not depend on the order of rules', () => {
  const obligations = fc.record({
    redact: fc.uniqueArray(fc.constantFrom('email', 'iban', 'phone')),
    content: fc.constantFrom(undefined, 'none', 'commitment', 'sealed'),
    model: fc.constantFrom(undefined, 'small', 'large'),
    maxTokens: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(fc.record({ obligations }), { maxLength: 4 }), (all) => {
      assert.deepEqual(unite(all), unite(all.toReversed()));
    }),
  );
});

test('a resource in more groups than there are rules is still found', () => {
  const policy = compiled(
    'permit(principal in Team::"t9", action, resource);',
    'forbid(principal, action, resource in Provider::"x");',
  );
  const many = Array.from({ length: 500 }, (_, i) => `Team::"t${i}"`);
  assert.equal(decide(policy, requestWith({}, many)).outcome, 'allow');
  assert.equal(decide(policy, requestWith({}, many.slice(10))).outcome, 'deny');
});

test('an explanation says which term failed and what it read', () => {
  const policy = compiled(
    '@id("p") permit(principal, action, resource) when { context.n > 3 && context.labels.contains("a") && context.n > 4 };',
  );
  const { decision, rules } = explain(policy, requestWith({ n: 5, labels: ['b'] }));
  assert.equal(decision.outcome, 'deny');
  assert.deepEqual(rules[0]?.conditions[0]?.terms, [
    {
      text: 'context.n > 3',
      outcome: 'true',
      message: undefined,
      reads: [{ path: 'context.n', value: '5' }],
    },
    {
      text: 'context.labels.contains("a")',
      outcome: 'false',
      message: undefined,
      reads: [{ path: 'context.labels', value: '["b"]' }],
    },
    { text: 'context.n > 4', outcome: 'not_reached', message: undefined, reads: [] },
  ]);
});

test('a simulation counts the outcomes', () => {
  const policy = compiled(
    'permit(principal, action, resource) when { context.n > 3 };',
    '@requestable("") forbid(principal, action, resource) when { context.n == 7 };',
  );
  const { allowed, denied, requestable } = simulate(
    policy,
    [1, 4, 5, 7].map((n) => requestWith({ n })),
  );
  assert.deepEqual([allowed, denied, requestable], [2, 1, 1]);
});

test('the default policy validates against the schema, also with labels of an organization', () => {
  for (const schema of [cedarSchema(), cedarSchema(['project_x', 'not a label', 'total'])]) {
    const answer = cedar.validate({ schema, policies: { staticPolicies: defaultPolicyText } });
    assert.equal(answer.type, 'success');
    assert.deepEqual([answer.validationErrors, answer.validationWarnings], [[], []]);
    const formatted = cedar.formatPolicies({ policyText: defaultPolicyText, lineWidth: 80, indentWidth: 2 });
    assert.equal(formatted.type === 'success' ? formatted.formatted_policy : '', defaultPolicyText);
  }
});

test('a label called `total` leaves the count of everything what it is', () => {
  assert.equal(cedarSchema(['total']), cedarSchema());
});

test('the reference page shows the schema and the default policy as they are', () => {
  const page = readFileSync(new URL('../../../../docs/reference/policy.md', import.meta.url), 'utf8');
  assert.ok(page.includes(cedarSchema()));
  assert.ok(page.includes(defaultPolicyText));
});

test('a random request of the self-test is one that the schema accepts', () => {
  const policy = compiled('permit(principal == Agent::"a", action, resource) when { context.tokens > 5 };');
  const random = seededRandom(3);
  const actions = new Set<string>();
  for (let i = 0; i < 60; i += 1) {
    const request = randomRequest(random, literalsOf(policy), ['email', 'opaque']);
    actions.add(request.action);
    const answer = cedar.isAuthorized({
      ...toCedarCall(request),
      schema: cedarSchema(),
      validateRequest: true,
      policies: { staticPolicies: '' },
    });
    assert.equal(answer.type, 'success', JSON.stringify(answer));
  }
  assert.ok(actions.size > 4);
});
