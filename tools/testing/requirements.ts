// Owns the outside programs that some tests need: where each is found, and the Debian package that brings it.

import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type RequirementName = 'chromium' | 'postgresql' | 'go' | 'go-mod';

export type Requirement = {
  readonly name: RequirementName;
  /** Debian package that brings it. */
  readonly debian: string;
  /** Where it may lie, best first; patterns as of `fs.globSync`, or a bare name to look up on the PATH. */
  readonly places: readonly string[];
};

export const requirements: readonly Requirement[] = [
  {
    name: 'chromium',
    debian: 'chromium',
    places: [
      'chromium',
      'chromium-browser',
      'google-chrome',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
  },
  { name: 'postgresql', debian: 'postgresql', places: ['/usr/lib/postgresql/*/bin/postgres', 'postgres'] },
  // Debian's packaged libraries are in GOPATH form, which this version still builds.
  { name: 'go', debian: 'golang-1.19-go', places: ['/usr/lib/go-1.19/bin/go'] },
  {
    name: 'go-mod',
    debian: 'golang-golang-x-mod-dev',
    places: ['/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog'],
  },
];

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function find(place: string): string | undefined {
  if (!place.includes('/')) return onPath(place);
  if (!place.includes('*')) return existsSync(place) ? place : undefined;
  // The newest version sorts last.
  return globSync(place)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}

/** The path of what was asked for (a program, a folder of sources), or undefined. */
export function locate(requirement: Requirement): string | undefined {
  for (const place of requirement.places) {
    const found = find(place);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a test needs of the outside: its path, or the reason to give to node:test's `skip`. */
export type Need =
  | { readonly path: string; readonly skip: false }
  | { readonly path: undefined; readonly skip: string };

/**
 * For tests: `const chromium = need('chromium'); test('…', { skip: chromium.skip }, …)`. The skip has a name,
 * and with CI=true the run counts it as a failure.
 */
export function need(name: RequirementName): Need {
  const requirement = requirements.find((one) => one.name === name);
  const path = requirement === undefined ? undefined : locate(requirement);
  return path === undefined
    ? { path, skip: `${requirement?.debian ?? name} is not installed` }
    : { path, skip: false };
}
