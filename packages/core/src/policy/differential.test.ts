// Owns the proof by comparison: compiled rules, reference evaluator and Cedar itself must agree.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { actionNames } from './actions.ts';
import { toCedarCall } from './cedar-request.ts';
import { type CompiledPolicy, compilePolicy } from './compile.ts';
import { decide, evaluate } from './decide.ts';
import { decimalEdges, ipEdges, patternEdges, textEdges, typeEdges } from './edge-cases.ts';
import { entityRef, entityView, uidKey } from './entity.ts';
import { binaryOperators, childrenOf, type Expr, extensionFunctions } from './expr.ts';
import {
  attributeNames,
  decimals,
  entityIds,
  ips,
  longs,
  pick,
  type Random,
  ruleText,
  seededRandom,
  texts,
} from './random-policy.ts';
import { evaluateRule } from './reference.ts';
import type { AnyRequest, Attributes, EntityRef, EntityView, Value } from './types.ts';

const isLong = process.env.COUNTERSIGN_LONG === '1';
const requestsPerPolicy = 40;
/** Whole policies are asked: a count that `npm run bench -- --parts` gives is rounded up. */
const asked = Number(process.env.COUNTERSIGN_DIFFERENTIAL ?? (isLong ? 100_000 : 4_000));
const requestCount = Math.ceil(asked / requestsPerPolicy) * requestsPerPolicy;

function randomRef(random: Random): EntityRef {
  const [type, id] = pick(random, entityIds);
  return entityRef(type, id);
}

function randomValue(random: Random, name: string): Value {
  switch (name) {
    case 'n':
    case 'm':
      return pick(random, longs);
    case 'b':
      return random() < 0.5;
    case 'ls':
      return Array.from({ length: Math.floor(random() * 4) }, () => pick(random, texts));
    case 'ns':
      return Array.from({ length: Math.floor(random() * 4) }, () => pick(random, longs));
    case 'e':
      return randomRef(random);
    case 'es':
      return Array.from({ length: Math.floor(random() * 3) }, () => randomRef(random));
    case 'r':
      return {
        a: pick(random, longs),
        b: random() < 0.5 ? { c: 'x' } : 2,
        n: undefined,
        s: pick(random, texts),
      };
    case 'ip':
      return { __extn: { fn: 'ip', arg: pick(random, [ips[0], ips[1], ips[4], ips[6]]) } };
    case 'd':
      return { __extn: { fn: 'decimal', arg: pick(random, [decimals[0], decimals[1], decimals[3]]) } };
    default:
      return pick(random, texts);
  }
}

function randomAttributes(random: Random): Attributes {
  const present = attributeNames.filter(() => random() < 0.8);
  return Object.fromEntries(
    // Now and then an attribute has another's type.
    present.map((name) => [name, randomValue(random, random() < 0.03 ? pick(random, attributeNames) : name)]),
  );
}

function randomView(random: Random, [type, id]: readonly [string, string]): EntityView {
  const groups = entityIds.filter(([t]) =>
    ['Team', 'Role', 'Workspace', 'Organization', 'Provider'].includes(t),
  );
  const ancestors = groups.filter(() => random() < 0.4).map(([t, i]) => uidKey(t, i));
  return entityView(type, id, ancestors, randomAttributes(random));
}

function randomRequest(random: Random): AnyRequest {
  return {
    principal: randomView(random, pick(random, [entityIds[0], entityIds[1], entityIds[2], entityIds[3]])),
    action: random() < 0.6 ? 'chat' : pick(random, actionNames),
    resource: randomView(random, pick(random, [entityIds[9], entityIds[10]])),
    context: randomAttributes(random),
  };
}

function parse(text: string): CompiledPolicy {
  const parts = cedar.policySetTextToParts(text);
  assert.equal(parts.type, 'success', text);
  const names = parts.policies.map((_, i) => `policy${i}`).sort();
  const est: unknown[] = [];
  parts.policies.forEach((part, i) => {
    const answer = cedar.policyToJson(part);
    assert.equal(answer.type, 'success', part);
    est[Number((names[i] ?? '').slice('policy'.length))] = answer.json;
  });
  const result = compilePolicy(est);
  assert.ok(result.ok, `${JSON.stringify(result)} ${text}`);
  return result.policy;
}

function addOperators(operators: Set<string>, expr: Expr): void {
  operators.add(expr.kind === 'binary' ? expr.op : expr.kind === 'call' ? expr.fn : expr.kind);
  for (const child of childrenOf(expr)) addOperators(operators, child);
}

/** One text for everything that must agree: Cedar's raw decision, the determining rules, the erring rules. */
function fingerprint(
  permits: readonly string[],
  forbids: readonly string[],
  errors: readonly string[],
): string {
  const isDenied = forbids.length > 0 || permits.length === 0;
  const reasons = forbids.length > 0 ? forbids : permits;
  return `${isDenied ? 'deny' : 'allow'} by [${[...reasons].sort()}] errors [${[...errors].sort()}]`;
}

function compiledAnswer(policy: CompiledPolicy, request: AnyRequest): string {
  const { permits, forbids, errors } = evaluate(policy, request);
  return fingerprint(
    permits.map((rule) => rule.id),
    forbids.map((rule) => rule.id),
    errors.map(({ rule }) => rule.id),
  );
}

function referenceAnswer(policy: CompiledPolicy, request: AnyRequest): string {
  const outcomes = policy.rules.map((rule) => ({ rule, kind: evaluateRule(rule.syntax, request).kind }));
  const ids = (kind: string, effect?: string): string[] =>
    outcomes
      .filter((o) => o.kind === kind && (effect === undefined || o.rule.effect === effect))
      .map((o) => o.rule.id);
  return fingerprint(ids('true', 'permit'), ids('true', 'forbid'), ids('error'));
}

function cedarAnswer(request: AnyRequest): string {
  const answer = cedar.statefulIsAuthorized({
    ...toCedarCall(request),
    preparsedPolicySetId: 'differential',
  });
  assert.equal(answer.type, 'success', JSON.stringify(answer));
  const { decision, diagnostics } = answer.response;
  const errors = diagnostics.errors.map((error) => error.policyId);
  return `${decision} by [${[...diagnostics.reason].sort()}] errors [${errors.sort()}]`;
}

test(`compiled rules, the reference and Cedar agree on ${requestCount} random requests`, (t) => {
  const seed = Number(process.env.COUNTERSIGN_SEED ?? 20261101);
  const random = seededRandom(seed);
  const seen = { allow: 0, deny: 0, erring: 0 };
  const operators = new Set<string>();
  let agreed = 0;
  for (let done = 0; done < requestCount; done += requestsPerPolicy) {
    const count = 1 + Math.floor(random() * 20);
    const text = Array.from({ length: count }, () => ruleText(random)).join('\n');
    const policy = parse(text);
    for (const { syntax } of policy.rules)
      for (const { body } of syntax.conditions) addOperators(operators, body);
    cedar.preparsePolicySet('differential', { staticPolicies: text });
    for (let i = 0; i < requestsPerPolicy; i += 1) {
      const request = randomRequest(random);
      const expected = cedarAnswer(request);
      const where = `seed ${seed}\n${text}\n${JSON.stringify(toCedarCall(request))}`;
      assert.equal(compiledAnswer(policy, request), expected, `compiled, ${where}`);
      assert.equal(referenceAnswer(policy, request), expected, `reference, ${where}`);
      agreed += 1;
      const { outcome, errors } = decide(policy, request);
      const forbidErrs = errors.some(({ policyId }) =>
        policy.rules.some((rule) => rule.id === policyId && rule.effect === 'forbid'),
      );
      const isAllowed = expected.startsWith('allow') && !forbidErrs;
      assert.equal(outcome, isAllowed ? 'allow' : 'deny', `overlay, ${where}`);
      seen[expected.startsWith('allow') ? 'allow' : 'deny'] += 1;
      if (!expected.endsWith('errors []')) seen.erring += 1;
    }
  }
  const expected = [
    ...binaryOperators,
    ...Object.keys(extensionFunctions),
    'has',
    'like',
    'is',
    'if',
    'isEmpty',
  ];
  assert.deepEqual(
    expected.filter((name) => !operators.has(name)),
    [],
    'operators that were never met',
  );
  // The comparison is worth nothing if the generator only makes one kind of answer.
  assert.ok(seen.allow > requestCount / 20 && seen.deny > requestCount / 20, JSON.stringify(seen));
  assert.ok(seen.erring > requestCount / 20 && seen.erring < requestCount, JSON.stringify(seen));
  t.diagnostic(JSON.stringify({ figures: 'differential', requests: requestCount, agreed, ...seen }));
});

/** Conditions at the edges, which chance would meet too seldom. */
function edgeConditions(): readonly string[] {
  const big = 'context.big';
  return [
    ...ipEdges.flatMap((a) => {
      const ip = `ip(${JSON.stringify(a)})`;
      const unary = ['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'].map((fn) => `${ip}.${fn}()`);
      const others = ipEdges.map((b) => `ip(${JSON.stringify(b)})`);
      return [...unary, ...others.flatMap((b) => [`${ip}.isInRange(${b})`, `${ip} == ${b}`])];
    }),
    ...decimalEdges.flatMap((a) =>
      decimalEdges.flatMap((b) =>
        ['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'].map(
          (fn) => `decimal(${JSON.stringify(a)}).${fn}(decimal(${JSON.stringify(b)}))`,
        ),
      ),
    ),
    // The smallest and the largest integer, made by arithmetic, and one step beyond.
    `-(-${big} * 1024 - 1024) != 0`,
    `-(-${big} * 1024 - 1023) != 0`,
    `-${big} * 1024 - 1025 != 0`,
    `${big} * 1024 + 1023 > 0`,
    `${big} * 1024 + 1024 > 0`,
    `${big} * 1024 + 1023 == ${big} * 1024 + 1022`,
    `${big} + 1 == ${big} + 2`,
    `[${big} + 1].contains(${big} + 1)`,
    `[${big} + 1].contains(${big} + 2)`,
    `${big} * ${big} == 0`,
    ...textEdges.flatMap((text) =>
      patternEdges.map((pattern) => `${JSON.stringify(text)} like "${pattern}"`),
    ),
    ...typeEdges,
  ];
}

test('compiled rules, the reference and Cedar agree on every edge', () => {
  const request = { ...randomRequest(seededRandom(1)), context: { big: 9007199254740991 } };
  const text = edgeConditions()
    .map((condition) => `permit(principal, action, resource) when { ${condition} };`)
    .join('\n');
  const policy = parse(text);
  cedar.preparsePolicySet('differential', { staticPolicies: text });
  const expected = cedarAnswer(request).split(/[[\],]/);
  assert.deepEqual(compiledAnswer(policy, request).split(/[[\],]/), expected);
  assert.deepEqual(referenceAnswer(policy, request).split(/[[\],]/), expected);
});
