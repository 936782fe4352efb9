// Owns the reference page of the command line, made from the commands themselves.

import { type Command, helpText } from './command.ts';

/** Every command's help as one page of Markdown. docs/reference/cli.md is this text. */
export function cliReference(commands: readonly Command[]): string {
  const sections = commands.map(
    (command) => `## countersign ${command.name}\n\n\`\`\`text\n${helpText(command).trimEnd()}\n\`\`\`\n`,
  );
  return [
    '# Command line',
    '',
    'Made from the commands by `node tools/reference/main.ts`; a test keeps the two equal.',
    '',
    'The verb comes first, then its words and flags. Exit code 0: done. 1: refused or failed, with a sentence on',
    'standard error. 2: wrong usage, or a file or folder that was named cannot be used (not there, not readable, empty,',
    'not UTF-8, something else in it); nothing was done. `--json`, on every verb that lists it, answers in JSON on',
    'standard output.',
    '',
    'Where standard error is a terminal, `ledger export`, `verify`, `replay`, `reconcile` and `continue` say there after a',
    'second how far they are and about how long is left; the line is gone when the answer comes. With `--json` or `--csv`',
    'there is none, and none at `ledger copy`, whose lines are for other programs.',
    '',
    'Verbs that ask a server take its address from `--url` or `COUNTERSIGN_URL` (else `http://127.0.0.1:7070`) and',
    'a management key from `--key-file`, `--key`, `COUNTERSIGN_KEY`, `COUNTERSIGN_MANAGEMENT_KEY` or',
    '`COUNTERSIGN_KEY_FILE`. Values marked `JSON|@FILE` and `TEXT|@FILE` may come from a file. Control characters',
    "and marks of direction in answers are shown as escapes; cells of CSV that a spreadsheet would run begin with `'`.",
    '',
    'A flag written `--[no-]NAME` is on or off: `--legal-hold` or `--legal-hold=true`, `--no-legal-hold` or',
    '`--legal-hold=false`; without it nothing is said. Below a flag that takes JSON stands its form: `N` is a whole',
    'number, `"TEXT"` any text, and a member with `?` may be left out.',
    '',
    ...sections,
  ].join('\n');
}
