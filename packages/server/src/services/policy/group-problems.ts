// Owns what Cedar says of one mistake for each action or type that it concerns, put together again as one problem.

import type { PolicyProblem } from './publish-types.ts';

/** Cedar's sentence with the one thing that differs between its repetitions. */
type Part = { readonly before: string; readonly what: string | undefined; readonly after: string };

type Group = Part & {
  readonly first: PolicyProblem;
  readonly whats: Set<string>;
  readonly helps: Set<string>;
};

const forms: readonly { readonly form: RegExp; readonly many: string }[] = [
  { form: /^(.*) in context for Action::"([^"]*)"(.*)$/s, many: ' in the context of the actions ' },
  { form: /^(.*) on entity type `([^`]*)`(.*)$/s, many: ' on the entity types ' },
];

function partsOf(message: string): Part & { readonly many: string } {
  for (const { form, many } of forms) {
    const [, before, what, after] = form.exec(message) ?? [];
    if (before !== undefined && what !== undefined) return { before, what, after: after ?? '', many };
  }
  return { before: message, what: undefined, after: '', many: '' };
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Without the quotes, so that `key` is before `key.environment`. */
function plain({ message }: PolicyProblem): string {
  return message.replaceAll('`', '');
}

function problemOf({ first, whats, helps, before, after }: Group, many: string): PolicyProblem {
  const { line, column } = first;
  const names = [...whats].sort(inOrder).map((what) => `\`${what}\``);
  const message = names.length < 2 ? first.message : `${before}${many}${names.join(', ')}${after}`;
  const help = [...helps].sort(inOrder).join('; ');
  return { line, column, message, ...(help === '' ? {} : { help }) };
}

/**
 * The problems in the order of the text. Those that differ only by the action or the entity type that they are about,
 * of which Cedar gives one each in no order, are one that lists them.
 */
export function groupProblems(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  const groups = new Map<string, Group & { readonly many: string }>();
  for (const first of problems) {
    const parts = partsOf(first.message);
    const key = JSON.stringify([first.line, first.column, parts.before, parts.many, parts.after]);
    const group = groups.get(key) ?? { ...parts, first, whats: new Set<string>(), helps: new Set<string>() };
    if (parts.what !== undefined) group.whats.add(parts.what);
    if (first.help !== undefined) group.helps.add(first.help);
    groups.set(key, group);
  }
  return [...groups.values()]
    .map((group) => problemOf(group, group.many))
    .sort((a, b) => a.line - b.line || a.column - b.column || inOrder(plain(a), plain(b)));
}
