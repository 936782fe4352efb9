// Owns claims about the publish pipeline: what it accepts, what it refuses and where it says the fault is.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { compilePolicy } from '@countersign/core/policy/compile';
import { bracketsOf, chainOf, deepestText } from '@countersign/core/policy/deepest-texts.support';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { checkPolicy } from './check-policy.ts';
import { comparePolicy } from './compare-policy.ts';
import { defaultPolicyCheckLimits, openPolicyChecker, problemText } from './publish.ts';
import type { PolicyCheckResult } from './publish-types.ts';

const nothing = { labels: [], models: [] };
const checker = openPolicyChecker({ limits: defaultPolicyCheckLimits, randomSeed: () => 7 });
after(() => checker.close());

function check(text: string, labels: string[] = [], models: string[] = []): PolicyCheckResult {
  return checkPolicy({ text, labels, models, seed: 1 });
}

function problemsOf(text: string, labels: string[] = []): readonly string[] {
  const result = check(text, labels);
  assert.ok(!result.ok, 'expected a refusal');
  return result.problems.map(problemText);
}

test('the default policy passes the whole pipeline in its thread', async () => {
  const result = await checker.check(defaultPolicyText, nothing);
  assert.ok(result.ok, JSON.stringify(result));
  assert.equal(result.hash, createHash('sha256').update(defaultPolicyText).digest('hex'));
  assert.equal(result.formatted, defaultPolicyText);
  assert.deepEqual(result.warnings, []);
  assert.equal(result.rules, 3);
  assert.ok(result.compared >= 20);
  const est: unknown = JSON.parse(result.compiled);
  assert.ok(Array.isArray(est));
  const compiled = compilePolicy(est);
  assert.ok(compiled.ok);
  assert.equal(compiled.policy.rules[0]?.id, 'members-use-their-workspaces-models');
});

test('an obligation that names a label which nothing finds is refused, and a model that is not there is warned of', () => {
  assert.deepEqual(problemsOf('\n@redact("emial,phone") permit (principal, action, resource);'), [
    '2:1 `@redact` names `emial`, which nothing finds (did you mean `email`?)',
  ]);
  assert.deepEqual(problemsOf('@redact("opaque") permit (principal, action, resource);'), [
    '1:1 `@redact` names `opaque`, which nothing finds (make a classifier for it first)',
  ]);
  assert.ok(check('@redact("personal,project_x") permit (principal, action, resource);', ['project_x']).ok);
  const aliased = check('@model("lagre") permit (principal, action, resource);', [], ['large', 'small']);
  assert.ok(aliased.ok);
  assert.deepEqual(aliased.warnings.map(problemText), [
    '1:1 `@model("lagre")` names no model: what this rule permits is denied until there is one (did you mean `large`?)',
  ]);
  const known = check('@model("large") permit (principal, action, resource);', [], ['large']);
  assert.ok(known.ok);
  assert.deepEqual(known.warnings, []);
});

test('a text that permits nothing is a policy, and a warning says that it denies everything', () => {
  const result = check('// nothing is permitted\n');
  assert.ok(result.ok);
  assert.equal(result.rules, 0);
  for (const text of ['', '// nothing yet', 'forbid (principal, action, resource);']) {
    const denying = check(text);
    assert.ok(denying.ok);
    assert.deepEqual(denying.warnings.map(problemText), [
      '1:1 no rule permits anything: every call is denied (add a `permit`, or publish the former text again)',
    ]);
  }
});

test('a name of a record that the engine may take for one of an earlier policy is refused (nodejs/node#63785)', () => {
  const text = (name: string) =>
    `permit (principal, action, resource) when { {"x": 1, "${name}": 2} == {"x": 1, "${name}": 2} };`;
  for (let i = 0; i < 3; i += 1)
    for (const name of ['z\\\\\\"', 'z\\"b', 'z\\n', '\\\\'])
      assert.match(
        problemsOf(text(name)).join(),
        /^1:1 a record of the rule has a name with a quote, a backslash/,
      );
  for (const name of ['z', "z'b", 'zé\u{1F600}', '']) assert.ok(check(text(name)).ok, name);
});

test('a syntax error is reported with its line and column, also behind wide characters', () => {
  assert.match(
    problemsOf('// é \u{1F600}\npermit(principal, action, resource) when { "é\u{1F600}" = 1 };').join(),
    /^2:44 .*'=' is not a valid operator.*\(try using '==' instead\)$/,
  );
});

test('an unknown action or attribute is reported with what was probably meant', () => {
  const text = `permit(principal, action == Action::"chat", resource);
permit(principal, action == Action::"chta", resource);
permit(principal, action == Action::"chat", resource)
when { context.lables.isEmpty() };`;
  const [action, attribute] = problemsOf(text);
  assert.match(action ?? '', /^2:29 .*`Action::"chta"`.*did you mean `Action::"chat"`/);
  assert.match(attribute ?? '', /^4:8 .*`lables`.*did you mean `labels`/);
});

test('one mistake is one problem: it lists the actions or types that it concerns, in the order of the text', () => {
  const text = `permit(principal, action, resource) when { context.key.environment == "x" };
permit(principal, action, resource) when { principal.foo == "x" };`;
  const problems = problemsOf(text);
  assert.deepEqual(
    problems.map((problem) => /^(\d+:\d+) .*?attribute `([^`]*)`/.exec(problem)?.slice(1).join(' ')),
    ['1:44 key', '1:44 key.environment', '2:44 foo'],
  );
  const [key, , foo] = problems;
  assert.match(
    key ?? '',
    / in the context of the actions `call_tool`, `chat`, .*`use_hosted_tool` \(try testing .* `context has key && ..`\)$/,
  );
  assert.match(foo ?? '', / on the entity types `Agent`, `Service`, `User` not found \(did you mean/);
});

test('an optional attribute that is not tested for is refused', () => {
  const text = 'permit(principal, action == Action::"chat", resource) when { context.customer == "x" };';
  assert.match(problemsOf(text).join(), /^1:62 .*optional attribute/);
});

test('what cedar accepts and we do not is reported where the rule begins', () => {
  const permit = 'permit(principal, action, resource)';
  const text = `${permit};\n\n  @redcat("email") ${permit};\n${permit} when { 9007199254740993 == 1 };`;
  const [annotation, integer] = problemsOf(text);
  assert.match(annotation ?? '', /^3:3 the annotation `@redcat` is unknown/);
  assert.match(integer ?? '', /^4:1 an integer literal is beyond/);
});

test('rules keep the order of the text when there are more than ten', () => {
  const rules = Array.from({ length: 23 }, (_, i) => `@id("r${i}") permit(principal, action, resource);`);
  const result = check(rules.join('\n'));
  assert.ok(result.ok, JSON.stringify(result));
  const est: unknown = JSON.parse(result.compiled);
  assert.ok(Array.isArray(est));
  const compiled = compilePolicy(est);
  assert.ok(compiled.ok);
  assert.deepEqual(
    compiled.policy.rules.map((rule) => rule.id),
    rules.map((_, i) => `r${i}`),
  );
});

test('a template is refused', () => {
  assert.match(problemsOf('permit(principal == ?principal, action, resource);').join(), /template|slot/);
});

test('a count of an organization’s own label is known only with that label', () => {
  const text =
    'forbid(principal, action, resource) when { context.counts has project_x && context.counts.project_x > 3 };';
  assert.ok(check(text, ['project_x']).ok);
  const result = check(text);
  assert.ok(!result.ok || result.warnings.length > 0, 'the label is unknown');
});

test('a compiled policy that differs from cedar is not published', () => {
  const other = compilePolicy([
    {
      effect: 'forbid',
      principal: { op: 'All' },
      action: { op: 'All' },
      resource: { op: 'All' },
      conditions: [],
    },
  ]);
  assert.ok(other.ok);
  const comparison = comparePolicy('permit(principal, action, resource);', other.policy, {
    text: '',
    labels: [],
    models: [],
    seed: 1,
  });
  assert.ok(!comparison.agrees);
  assert.match(comparison.difference, /we say deny by \[policy0\].*cedar says allow by \[policy0\]/);
});

test('a check that takes too long is ended and refused', async () => {
  const hasty = openPolicyChecker({
    limits: { ...defaultPolicyCheckLimits, timeoutMs: 5 },
    randomSeed: () => 1,
  });
  const result = await hasty.check(defaultPolicyText, nothing);
  assert.ok(!result.ok);
  assert.match(result.problems[0]?.message ?? '', /longer than 0.005 s/);
  await hasty.close();
});

test('a check that needs too much memory is ended and refused', async () => {
  const narrow = openPolicyChecker({
    limits: { ...defaultPolicyCheckLimits, heapMegabytes: 8 },
    randomSeed: () => 1,
  });
  const rules = Array.from(
    { length: 8000 },
    (_, i) => `permit(principal, action, resource == Model::"m${i}");`,
  );
  const result = await narrow.check(rules.join('\n'), nothing);
  assert.ok(!result.ok);
  assert.match(result.problems[0]?.message ?? '', /too much memory/);
  await narrow.close();
});

test('a text that nests without end is refused and does not end the server', async () => {
  const text = `permit(principal, action, resource) when { ${'if true then true else '.repeat(30_000)}true };`;
  const result = await checker.check(text, nothing);
  assert.ok(!result.ok);
  assert.match(result.problems[0]?.message ?? '', /nests too deeply/);
});

test('the deepest rules that may be published are published, and what is one deeper is refused where it is', async () => {
  const accepted = await checker.check(deepestText, nothing);
  assert.ok(accepted.ok, JSON.stringify(accepted));
  assert.deepEqual(problemsOf(`\n${chainOf(1_001)}`), [
    '2:1 the rule nests 1001 levels deep, more than 1000: each `&&` or `||` of a chain is one (split the rule into several, or use a set)',
  ]);
  assert.deepEqual(problemsOf(bracketsOf(65)), [
    '1:124 more than 64 brackets are open here (split the rule into several, or leave brackets out)',
  ]);
});

test('checks beyond the queue are refused, those in it are answered', async () => {
  const small = openPolicyChecker({
    limits: { ...defaultPolicyCheckLimits, waiting: 1 },
    randomSeed: () => 1,
  });
  const first = small.check('', nothing);
  const second = small.check('', nothing);
  await assert.rejects(
    small.check('', nothing),
    (error) => error instanceof AppError && error.code === 'overloaded',
  );
  assert.deepEqual([(await first).ok, (await second).ok], [true, true]);
  await small.close();
  await assert.rejects(
    small.check('', nothing),
    (error) => error instanceof AppError && error.code === 'shutting_down',
  );
});
