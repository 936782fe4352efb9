// Owns the gate against what does not belong in a public repository: machine paths, registry hosts, people's addresses, keys.

import { type Finding, type Gate, lineAt, type SourceText } from './tree.ts';

/** Builds a host's name from its labels, so that the gate's own source stays clean. */
const host = (...labels: readonly string[]): string => labels.join('\\.');

const registries = [
  host('registry', 'npmjs', 'org'),
  host('registry', 'yarnpkg', 'com'),
  host('pypi', 'org'),
  host('files', 'pythonhosted', 'org'),
  host('(static\\.|index\\.)?crates', 'io'),
  host('(proxy|sum)', 'golang', 'org'),
  host('repo1?', 'maven', '(apache\\.org|org)'),
  host('(deb|security|snapshot)', 'debian', 'org'),
];

const patterns: readonly {
  readonly what: string;
  readonly pattern: RegExp;
  readonly allow?: RegExp;
  readonly exempt?: RegExp;
}[] = [
  {
    what: 'a path of one machine',
    pattern: /(?<![\w.$}/-])\/(work|tmp|root|home\/\w+|Users\/\w+)\/[\w.-]+/g,
  },
  {
    what: 'the host name of a package registry',
    pattern: new RegExp(`\\b(${registries.join('|')})\\b`, 'g'),
  },
  {
    what: 'an e-mail address outside the domains kept for examples',
    pattern: /\b[A-Za-z0-9][\w.+-]*@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}\b/g,
    allow: /^git@|@\d+\.\d|@([\w-]+\.)*(example(\.(com|org|net))?|test|invalid|localhost|local)$/i,
    // What the detectors of personal data are tried on must look like every address there is.
    exempt: /^packages\/core\/src\/classify\/examples-[a-z]+\.support\.ts$/,
  },
  { what: 'a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n?[A-Za-z0-9+/=]{40}/g },
];

function checkFile(file: SourceText): Finding[] {
  return patterns.flatMap(({ what, pattern, allow, exempt }) =>
    [...(exempt?.test(file.path) === true ? '' : file.text).matchAll(pattern)]
      .filter((match) => allow === undefined || !allow.test(match[0]))
      .map((match) => ({
        path: file.path,
        line: lineAt(file.text, match.index),
        message: `\`${match[0].slice(0, 80)}\` is ${what}`,
      })),
  );
}

export const leaksGate: Gate = {
  claim: "no committed file names a machine path, a registry host, a person's address or a private key",
  check: (tree) => tree.files.flatMap(checkFile),
};
