// Owns the check before a policy may be installed: parse, validate, compile, and compare with Cedar itself.

import { createHash } from 'node:crypto';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { parseJson } from '@countersign/core/parse-json';
import { type CompiledPolicy, type CompileProblem, compilePolicy } from '@countersign/core/policy/compile';
import { escapedNameIn } from '@countersign/core/policy/escaped-names';
import { bracketTooDeep, levelsOf, mostLevels, mostOpenBrackets } from '@countersign/core/policy/nesting';
import { cedarSchema } from '@countersign/core/policy/schema';
import { checkObligations } from './check-obligations.ts';
import { comparePolicy } from './compare-policy.ts';
import { groupProblems } from './group-problems.ts';
import { type Position, positionOfByte, rulePositions } from './positions.ts';
import type { PolicyCheckResult, PolicyCheckTask, PolicyProblem } from './publish-types.ts';

const maxTextBytes = 1_000_000;

function problemAt(position: Position, message: string, help: string | null | undefined): PolicyProblem {
  return help === null || help === undefined ? { ...position, message } : { ...position, message, help };
}

function refused(...problems: readonly PolicyProblem[]): PolicyCheckResult {
  return { ok: false, problems: [...problems] };
}

const start: Position = { line: 1, column: 1 };

function fromCedar(text: string, errors: readonly cedar.DetailedError[]): readonly PolicyProblem[] {
  return errors.flatMap((error) => {
    const [place] = error.sourceLocations ?? [];
    const position = place === undefined ? start : positionOfByte(text, place.start);
    // Ids that Cedar made up say nothing to the author; the position does.
    const message = error.message
      .replace(/^failed to parse policies from string: /, '')
      .replace(/^for policy `[^`]*`, /, '');
    const help = error.help?.replace(/^for policy `[^`]*`, /, '');
    return [problemAt(position, message, help), ...fromCedar(text, error.related ?? [])];
  });
}

/** The rules' texts in the order of the policy: Cedar returns them in the alphabetical order of its ids. */
function splitRules(text: string): readonly string[] | undefined {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type !== 'success') return undefined;
  const order = parts.policies
    .map((_, i) => `policy${i}`)
    .sort()
    .map((id) => Number(id.slice('policy'.length)));
  return parts.policies
    .map((part, i) => ({ part, place: order[i] ?? i }))
    .sort((a, b) => a.place - b.place)
    .map(({ part }) => part);
}

type Validated =
  | { readonly problems: readonly PolicyProblem[] }
  | { readonly warnings: readonly PolicyProblem[]; readonly parts: readonly string[] };

function validate(task: PolicyCheckTask): Validated {
  const { text } = task;
  const policies = { staticPolicies: text };
  const parsed = cedar.checkParsePolicySet(policies);
  if (parsed.type === 'failure') return { problems: fromCedar(text, parsed.errors) };
  const parts = splitRules(text);
  if (parts === undefined)
    return { problems: [problemAt(start, 'the rules cannot be told apart', undefined)] };
  const answer = cedar.validate({ schema: cedarSchema(task.labels), policies });
  if (answer.type === 'failure') return { problems: groupProblems(fromCedar(text, answer.errors)) };
  const errors = answer.validationErrors.map(({ error }) => error);
  if (errors.length > 0) return { problems: groupProblems(fromCedar(text, errors)) };
  const warnings = [...answer.validationWarnings.map(({ error }) => error), ...answer.otherWarnings];
  return { parts, warnings: groupProblems(fromCedar(text, warnings)) };
}

type Built =
  | { readonly problems: readonly PolicyProblem[] }
  | {
      readonly policy: CompiledPolicy;
      readonly compiled: string;
      readonly positions: readonly Position[];
    };

/** Why a rule in its JSON form is not taken, though it is valid. */
function unfitRule({
  conditions,
}: cedar.PolicyJson): { readonly message: string; readonly help: string } | undefined {
  const levels = conditions.reduce((most, { body }) => Math.max(most, levelsOf(body)), 0);
  if (levels > mostLevels) {
    const message = `the rule nests ${levels} levels deep, more than ${mostLevels}: each \`&&\` or \`||\` of a chain is one`;
    return { message, help: 'split the rule into several, or use a set' };
  }
  if (escapedNameIn(conditions) === undefined) return undefined;
  return {
    message: 'a record of the rule has a name with a quote, a backslash or a control character',
    help: 'give it a name without',
  };
}

function build(text: string, parts: readonly string[]): Built {
  const positions = rulePositions(text, parts);
  const est: unknown[] = [];
  for (const [i, part] of parts.entries()) {
    const answer = cedar.policyToJson(part);
    if (answer.type === 'failure') {
      const [first] = answer.errors;
      return { problems: [problemAt(positions[i] ?? start, first?.message ?? 'not a rule', first?.help)] };
    }
    const unfit = unfitRule(answer.json);
    if (unfit !== undefined)
      return { problems: [problemAt(positions[i] ?? start, unfit.message, unfit.help)] };
    est.push(answer.json);
  }
  // What is stored is JSON text, so that is what is compiled and compared: nothing is lost on the way.
  const compiled = JSON.stringify(est);
  const stored: unknown = parseJson(compiled);
  const result = compilePolicy(Array.isArray(stored) ? stored : []);
  if (result.ok) return { policy: result.policy, compiled, positions };
  const toProblem = ({ position, message, help }: CompileProblem): PolicyProblem =>
    problemAt(positions[position] ?? start, message, help);
  return { problems: result.problems.map(toProblem) };
}

/** Valid, and sometimes meant; a file that was emptied by mistake is the same text. */
function warnOfDenyingAll({ rules }: CompiledPolicy): readonly PolicyProblem[] {
  if (rules.some(({ effect }) => effect === 'permit')) return [];
  const message = 'no rule permits anything: every call is denied';
  return [problemAt(start, message, 'add a `permit`, or publish the former text again')];
}

/**
 * Checks a Cedar text whole: it is accepted or refused with every problem found. Blocks its thread for up to
 * seconds, so it runs in the publish worker only.
 */
export function checkPolicy(task: PolicyCheckTask): PolicyCheckResult {
  const { text } = task;
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > maxTextBytes) {
    const message = `the policy has ${bytes} bytes, more than ${maxTextBytes}`;
    return refused(problemAt(start, message, 'remove rules, or use groups instead of lists'));
  }
  const deep = bracketTooDeep(text, mostOpenBrackets);
  if (deep !== undefined) {
    const position = positionOfByte(text, Buffer.byteLength(text.slice(0, deep), 'utf8'));
    const message = `more than ${mostOpenBrackets} brackets are open here`;
    return refused(problemAt(position, message, 'split the rule into several, or leave brackets out'));
  }
  const validated = validate(task);
  if ('problems' in validated) return refused(...validated.problems);
  const built = build(text, validated.parts);
  if ('problems' in built) return refused(...built.problems);
  const named = checkObligations(built.policy.rules, built.positions, task);
  if (named.problems.length > 0) return refused(...named.problems);
  const comparison = comparePolicy(text, built.policy, task);
  if (!comparison.agrees) {
    return refused(
      problemAt(
        start,
        `the compiled rules and cedar disagree: ${comparison.difference}`,
        'report this policy as a fault',
      ),
    );
  }
  const formatted = cedar.formatPolicies({ policyText: text, lineWidth: 80, indentWidth: 2 });
  return {
    ok: true,
    hash: createHash('sha256').update(text, 'utf8').digest('hex'),
    compiled: built.compiled,
    rules: built.policy.rules.length,
    formatted: formatted.type === 'success' ? formatted.formatted_policy : text,
    warnings: [...validated.warnings, ...named.warnings, ...warnOfDenyingAll(built.policy)],
    compared: comparison.compared,
  };
}
