// Owns what the demo prints: numbered steps, what was asked and answered, the evidence, and whether it is as claimed.

import { styleText } from 'node:util';

export type Script = {
  /** Begins the next step. */
  readonly step: (title: string) => void;
  readonly asked: (...lines: readonly string[]) => void;
  readonly answered: (...lines: readonly string[]) => void;
  /** What somebody else could look at: ids, and what a tool printed. Text may have several lines. */
  readonly evidence: (...lines: readonly string[]) => void;
  /** Says whether something is as claimed. One that is not makes the demo fail. */
  readonly claim: (holds: boolean, text: string) => void;
  /** Claims so far: how many there were, and those that did not hold. */
  readonly tally: () => { readonly claims: number; readonly broken: readonly string[] };
};

/** The length at which a line breaks: most terminals have 100 columns or more. */
const width = 100;
const indent = ' '.repeat(13);

/** Breaks a line at blanks; a word that is longer than a line stays whole. */
function fold(line: string): readonly string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of line.split(' ')) {
    const longer = row === '' ? word : `${row} ${word}`;
    if (row !== '' && indent.length + longer.length > width) {
      rows.push(row);
      row = word;
    } else row = longer;
  }
  return [...rows, row];
}

/** A script that prints through `write`; with `isColoured` in colours. */
export function createScript(write: (text: string) => void, isColoured: boolean): Script {
  let steps = 0;
  let claims = 0;
  const broken: string[] = [];
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    isColoured ? styleText(style, text, { validateStream: false }) : text;
  const block = (label: string, lines: readonly string[]): void => {
    const rows = lines.flatMap((line) => line.trimEnd().split('\n')).flatMap(fold);
    for (const [i, row] of rows.entries())
      write(`${i === 0 ? `   ${paint('dim', label.padEnd(10))}` : indent}${row}\n`);
  };
  return {
    step: (title) => {
      steps += 1;
      write(`\n${paint('bold', `${steps}. ${title}`)}\n`);
    },
    asked: (...lines) => block('asked', lines),
    answered: (...lines) => block('answered', lines),
    evidence: (...lines) => block('evidence', lines),
    claim: (holds, text) => {
      claims += 1;
      if (!holds) broken.push(text);
      const mark = holds ? paint('green', '✓') : paint('red', '✗ NOT AS CLAIMED:');
      write(`   ${mark} ${text}\n`);
    },
    tally: () => ({ claims, broken }),
  };
}
