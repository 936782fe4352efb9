// Owns the gates of the documents: decision records numbered once, links that resolve, a drawing that is current.

import { posix } from 'node:path';
import { drawingMarkers, withDrawing } from '../floors.ts';
import { type Finding, type Gate, lineAt, type SourceText, type Tree } from './tree.ts';

const isMarkdown = (file: SourceText): boolean => file.path.endsWith('.md');

/** Numbers of docs/adr/NNNN-title.md that occur twice, and names that are not of that form. */
function checkRecords(tree: Tree): Finding[] {
  const seen = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { path } of tree.files) {
    if (!path.startsWith('docs/adr/') || path === 'docs/adr/README.md') continue;
    const number = /^docs\/adr\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1];
    const before = number === undefined ? undefined : seen.get(number);
    if (number === undefined) findings.push({ path, line: 1, message: 'name it docs/adr/NNNN-title.md' });
    else if (before !== undefined)
      findings.push({ path, line: 1, message: `has the number of ${before}; take the next free one` });
    else seen.set(number, path);
  }
  return findings;
}

/** The anchors that a page's headings make, as code hosts write them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replace(/```[\s\S]*?```/g, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}

/** Blanks out code, keeping positions: what looks like a link there is none. */
const withoutCode = (text: string): string =>
  text.replace(/```[\s\S]*?```|`[^`\n]*`/g, (code) => code.replace(/[^\n]/g, ' '));

function checkLinks(tree: Tree): Finding[] {
  const pages = new Map(tree.files.map((file) => [file.path, file.text]));
  const folders = new Set(
    tree.files.flatMap((file) => file.path.split('/').map((_, i, all) => all.slice(0, i).join('/'))),
  );
  return tree.files.filter(isMarkdown).flatMap((file) =>
    [...withoutCode(file.text).matchAll(/\]\(([^)\s]+)[^)]*\)/g)].flatMap((match): Finding[] => {
      const [, link = ''] = match;
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return [];
      const [to = '', anchor = ''] = link.split('#');
      const path = to === '' ? file.path : posix.join(posix.dirname(file.path), to).replace(/\/$/, '');
      const text = pages.get(path);
      const line = lineAt(file.text, match.index);
      if (text === undefined && !folders.has(path))
        return [{ path: file.path, line, message: `\`${link}\` leads nowhere` }];
      const broken =
        anchor !== '' && text !== undefined && path.endsWith('.md') && !anchorsOf(text).has(anchor);
      return broken ? [{ path: file.path, line, message: `\`${link}\`: no such heading` }] : [];
    }),
  );
}

export const docsGate: Gate = {
  claim: 'decision records are numbered once, and every internal link leads somewhere',
  check: (tree) => [...checkRecords(tree), ...checkLinks(tree)],
};

export const drawingGate: Gate = {
  claim: 'ARCHITECTURE.md shows the floors as they are checked',
  check: (tree) => {
    const path = 'ARCHITECTURE.md';
    const page = tree.files.find((file) => file.path === path);
    const drawn = page === undefined ? undefined : withDrawing(page.text);
    if (page === undefined || drawn === undefined) {
      return [
        {
          path,
          line: 1,
          message: `lacks \`${drawingMarkers.begin}\` and \`${drawingMarkers.end}\`; add them, then run \`node tools/draw.ts --write\``,
        },
      ];
    }
    return drawn === page.text
      ? []
      : [{ path, line: 1, message: 'shows old floors; run `node tools/draw.ts --write`' }];
  },
};
