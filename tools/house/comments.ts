// Owns the gate of comments: no promise without an issue, no suppression without its reason.

import { commentsOf, type Finding, type Gate, lineAt } from './tree.ts';

const promise = /\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\): \S)/;
// The words are put together here so that the gate does not find itself.
const suppression = new RegExp(
  `\\b(${['biome', 'eslint', 'prettier'].map((tool) => `${tool}-(?:ignore|disable)`).join('|')})(\\S*)([^\\n]*)`,
);
const coverage = /\b(c8|v8|istanbul|node:coverage)\s+(ignore|disable)\b(.*)/;

function complaintAbout(text: string): string | undefined {
  const naked = promise.exec(text);
  if (naked !== null)
    return `\`${naked[1]}\` without an issue; do it now, or write \`${naked[1]}(#123): what and why\``;
  const hushed = suppression.exec(text);
  if (hushed !== null && !/:\s*\S+\s+\S+/.test(hushed[3] ?? ''))
    return `\`${hushed[1]}\` without a reason; say why on the same line, after a colon`;
  const uncounted = coverage.exec(text);
  return uncounted === null ? undefined : `\`${uncounted[0].trim()}\`: coverage is not hidden`;
}

export const commentsGate: Gate = {
  claim: 'no naked TODO, and every suppression carries its reason',
  check: (tree) => {
    const findings: Finding[] = [];
    for (const file of tree.code) {
      for (const comment of commentsOf(file)) {
        const complaint = complaintAbout(comment.text);
        if (complaint !== undefined)
          findings.push({ path: file.path, line: lineAt(file.text, comment.start), message: complaint });
      }
    }
    return findings;
  },
};
