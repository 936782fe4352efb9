// Owns what annotations mean: ids, obligations and `@requestable`. One that we do not know is refused.

import { SyntaxProblem } from './est.ts';
import type { RuleSyntax } from './expr.ts';
import { isLabel } from './schema.ts';
import { type ContentRule, contentRules, type Obligations } from './types.ts';

/** The obligations of one permit. */
export type RuleObligations = Obligations;

const documentation: ReadonlySet<string> = new Set(['id', 'description', 'advice', 'owner']);
const obligationNames: ReadonlySet<string> = new Set(['redact', 'content', 'model', 'max_tokens']);
const idForm = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
const modelForm = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$/;
const countForm = /^[1-9][0-9]{0,8}$/;

const contentValues: ReadonlyMap<string, ContentRule> = new Map([
  ['drop', 'none'],
  ['none', 'none'],
  ['commitment', 'commitment'],
  ['sealed', 'sealed'],
  ['keep', 'sealed'],
]);

/** The rule's own id, or the one that follows from its place, as Cedar names it. */
export function readRuleId(rule: RuleSyntax, position: number): string {
  const id = rule.annotations.get('id');
  if (id === undefined) return `policy${position}`;
  if (!idForm.test(id)) {
    throw new SyntaxProblem(
      `\`@id("${id}")\` is not a valid id`,
      'use 1 to 128 of letters, digits and . _ : / - and start with a letter or digit',
    );
  }
  return id;
}

function readRedact(text: string): readonly string[] {
  const labels = text.split(',').map((label) => label.trim());
  const wrong = labels.find((label) => !isLabel(label));
  if (wrong !== undefined) {
    throw new SyntaxProblem(
      `\`@redact\` names \`${wrong}\`, which is not a label`,
      'list labels with commas: @redact("email,phone")',
    );
  }
  return [...new Set(labels)].sort();
}

function readContent(text: string): ContentRule {
  const rule = contentValues.get(text);
  if (rule === undefined) {
    throw new SyntaxProblem(
      `\`@content("${text}")\` is unknown`,
      'use drop (or none), commitment, or sealed (or keep)',
    );
  }
  return rule;
}

function readModel(text: string): string {
  if (!modelForm.test(text)) {
    throw new SyntaxProblem(`\`@model("${text}")\` is not a model name`, 'write the name that clients send');
  }
  return text;
}

function readMaxTokens(text: string): number {
  if (!countForm.test(text)) {
    throw new SyntaxProblem(
      `\`@max_tokens("${text}")\` is not a positive whole number`,
      'write a number of tokens: @max_tokens("1000")',
    );
  }
  return Number(text);
}

function checkNames(rule: RuleSyntax): void {
  for (const name of rule.annotations.keys()) {
    // A misspelt obligation must not vanish silently; names with `x_` are the author's own.
    if (documentation.has(name) || name.startsWith('x_')) continue;
    if (name === 'requestable') {
      if (rule.effect === 'forbid') continue;
      throw new SyntaxProblem(
        '`@requestable` stands on a permit',
        'put it on the forbid that an approval lifts',
      );
    }
    if (!obligationNames.has(name)) {
      throw new SyntaxProblem(
        `the annotation \`@${name}\` is unknown`,
        'use id, description, advice, owner, redact, content, model, max_tokens, requestable, or a name that starts with x_',
      );
    }
    if (rule.effect === 'forbid') {
      throw new SyntaxProblem(
        `\`@${name}\` stands on a forbid`,
        'put obligations on the permit that allows the call',
      );
    }
  }
}

/** Reads a rule's annotations. Throws `SyntaxProblem` for unknown names, wrong places and malformed values. */
export function readAnnotations(rule: RuleSyntax): {
  readonly requestable: boolean;
  readonly obligations: RuleObligations | undefined;
} {
  checkNames(rule);
  const { annotations } = rule;
  const redact = annotations.get('redact');
  const content = annotations.get('content');
  const model = annotations.get('model');
  const maxTokens = annotations.get('max_tokens');
  const obligations =
    redact === undefined && content === undefined && model === undefined && maxTokens === undefined
      ? undefined
      : {
          redact: redact === undefined ? [] : readRedact(redact),
          content: content === undefined ? undefined : readContent(content),
          model: model === undefined ? undefined : readModel(model),
          maxTokens: maxTokens === undefined ? undefined : readMaxTokens(maxTokens),
        };
  return { requestable: annotations.has('requestable'), obligations };
}

const none: Obligations = { redact: [], content: undefined, model: undefined, maxTokens: undefined };

function stricter(a: ContentRule | undefined, b: ContentRule | undefined): ContentRule | undefined {
  return contentRules.find((rule) => rule === a || rule === b);
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined || a < b ? a : b;
}

/**
 * The union of the obligations of all satisfied permits: all labels, the strictest content rule, the lowest
 * ceiling. Two different models cannot both be obeyed: `conflict`.
 */
export function unite(
  all: readonly { readonly obligations: RuleObligations | undefined }[],
): Obligations | 'conflict' {
  let united = none;
  for (const { obligations: next } of all) {
    if (next === undefined) continue;
    if (united.model !== undefined && next.model !== undefined && united.model !== next.model)
      return 'conflict';
    united = {
      redact: [...new Set([...united.redact, ...next.redact])].sort(),
      content: stricter(united.content, next.content),
      model: united.model ?? next.model,
      maxTokens: lower(united.maxTokens, next.maxTokens),
    };
  }
  return united;
}
