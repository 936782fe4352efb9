// Owns the labels that a question to policy supposes: only what could be found, with the groups that would come with it.

import { labelGroups } from '@countersign/core/classify/types';
import { AppError } from '@countersign/core/errors';
import { builtInLabels } from '@countersign/core/policy/schema';
import { suggest } from '../platform/config/suggest.ts';

/** Why no text ever has this label. */
function unknown(label: string, known: readonly string[]): AppError {
  const named = `\`${label.slice(0, 64)}\` is no label that anything finds`;
  if (label.includes(',')) return new AppError('invalid_request', `${named}: give each label by itself`);
  const near = suggest(label, known);
  const help = near === undefined ? 'make a classifier for it first' : `did you mean \`${near}\`?`;
  return new AppError('invalid_request', `${named}: ${help}`);
}

/**
 * These labels, sorted, as a text that has them would get them: `email` brings its group `personal`. `own` are the
 * labels of the organization's classifiers. Throws AppError `invalid_request` for one that nothing finds: no rule
 * could be about it, and the answer would be about another call than the one that was meant.
 */
export function supposedLabels(labels: readonly string[], own: readonly string[]): readonly string[] {
  const known = [...builtInLabels, ...own];
  const stranger = labels.find((label) => !known.includes(label));
  if (stranger !== undefined) throw unknown(stranger, known);
  const groups = Object.entries(labelGroups).flatMap(([group, members]) =>
    members.some((member) => labels.includes(member)) ? [group] : [],
  );
  return [...new Set([...labels, ...groups])].sort();
}
