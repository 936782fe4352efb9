// Owns the check of what obligations name: a label that nothing finds would redact nothing, and nobody would hear of it.

import { markerLabels } from '@countersign/core/classify/types';
import type { CompiledRule } from '@countersign/core/policy/compile';
import { builtInLabels } from '@countersign/core/policy/schema';
import { suggest } from '../../platform/config/suggest.ts';
import type { Position } from './positions.ts';
import type { PolicyProblem } from './publish-types.ts';

/** What an organization has beside the built-in labels. */
type Known = { readonly labels: readonly string[]; readonly models: readonly string[] };

const markers: ReadonlySet<string> = new Set(markerLabels);

/** Labels that text can be cut by: a marker says that nobody could read the text. */
function redactable(labels: readonly string[]): readonly string[] {
  return [...builtInLabels, ...labels].filter((label) => !markers.has(label));
}

function asIn(found: string | undefined, otherwise: string): string {
  return found === undefined ? otherwise : `did you mean \`${found}\`?`;
}

/** Problems: labels that no detector and no classifier gives. Warnings: models that are not there yet. */
export function checkObligations(
  rules: readonly CompiledRule[],
  positions: readonly Position[],
  { labels, models }: Known,
): { readonly problems: readonly PolicyProblem[]; readonly warnings: readonly PolicyProblem[] } {
  const problems: PolicyProblem[] = [];
  const warnings: PolicyProblem[] = [];
  const known = redactable(labels);
  for (const { position, obligations } of rules) {
    if (obligations === undefined) continue;
    const at = positions[position] ?? { line: 1, column: 1 };
    for (const label of obligations.redact) {
      if (known.includes(label)) continue;
      const message = `\`@redact\` names \`${label}\`, which nothing finds`;
      problems.push({ ...at, message, help: asIn(suggest(label, known), 'make a classifier for it first') });
    }
    const { model } = obligations;
    if (model === undefined || models.includes(model)) continue;
    const message = `\`@model("${model}")\` names no model: what this rule permits is denied until there is one`;
    warnings.push({ ...at, message, help: asIn(suggest(model, models), 'make the model') });
  }
  return { problems, warnings };
}
