// Owns the gate of runtime dependencies: how many packages the server needs, and who decided for each.

import type { Finding, Gate, SourceText, Tree } from './tree.ts';

const maxRuntimePackages = 60;

type Names = Readonly<Record<string, string>>;
/** What the gate reads of one entry of a lockfile, version 3. */
type LockEntry = {
  readonly link: boolean;
  readonly resolved: string;
  readonly needs: readonly string[];
  readonly may: readonly string[];
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function namesIn(value: unknown): Names {
  const entries = isRecord(value) ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.flatMap(([name, range]) => (typeof range === 'string' ? [[name, range]] : [])),
  );
}

/** Peers that npm installs are those which are not marked optional. */
function neededPeers(entry: Readonly<Record<string, unknown>>): readonly string[] {
  const meta = isRecord(entry.peerDependenciesMeta) ? entry.peerDependenciesMeta : {};
  return Object.keys(namesIn(entry.peerDependencies)).filter((name) => {
    const about = meta[name];
    return !(isRecord(about) && about.optional === true);
  });
}

function readLock(text: string): ReadonlyMap<string, LockEntry> {
  const lock: unknown = JSON.parse(text);
  const packages = isRecord(lock) && isRecord(lock.packages) ? lock.packages : {};
  return new Map(
    Object.entries(packages).flatMap(([path, entry]): [string, LockEntry][] => {
      if (!isRecord(entry)) return [];
      const needs = [...Object.keys(namesIn(entry.dependencies)), ...neededPeers(entry)];
      const resolved = typeof entry.resolved === 'string' ? entry.resolved : '';
      return [
        [
          path,
          {
            link: entry.link === true,
            resolved,
            needs,
            may: Object.keys(namesIn(entry.optionalDependencies)),
          },
        ],
      ];
    }),
  );
}

/** Finds a package as Node does: in the nearest node_modules on the way up. */
function locate(lock: ReadonlyMap<string, LockEntry>, from: string, name: string): string | undefined {
  for (let at = from; ; ) {
    const path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock.has(path)) return path;
    if (at === '') return undefined;
    const cut = at.lastIndexOf('/node_modules/');
    at = cut === -1 ? '' : at.slice(0, cut);
  }
}

/** Paths of every package outside the workspace that a part of it needs at run time. */
export function runtimeClosure(lockText: string, part: string): ReadonlySet<string> {
  const lock = readLock(lockText);
  const outside = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    const entry = lock.get(path);
    if (entry === undefined || seen.has(path)) return;
    seen.add(path);
    if (entry.link) {
      visit(entry.resolved);
      return;
    }
    if (path.includes('node_modules/')) outside.add(path);
    for (const name of [...entry.needs, ...entry.may]) {
      const found = locate(lock, path, name);
      if (found !== undefined) visit(found);
    }
  };
  visit(part);
  return outside;
}

function undecided(tree: Tree, manifest: SourceText): Finding[] {
  const decisions = tree.files
    .filter((file) => /^docs\/adr\/.+\.md$/.test(file.path))
    .map((file) => file.text)
    .join('\n');
  const parsed: unknown = JSON.parse(manifest.text);
  const direct = Object.keys(namesIn(isRecord(parsed) ? parsed.dependencies : undefined)).filter(
    (name) => !name.startsWith('@countersign/'),
  );
  const isNamed = (name: string): boolean =>
    new RegExp(`(?<![\\w@/-])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w/-])`).test(decisions);
  return direct
    .filter((name) => !isNamed(name))
    .map((name) => ({
      path: manifest.path,
      line: 1,
      message: `\`${name}\` is a runtime dependency that no docs/adr names; write down why it is worth it`,
    }));
}

export const dependenciesGate: Gate = {
  claim: `the server needs at most ${maxRuntimePackages} packages at run time, and each direct one was decided`,
  check: (tree) => {
    const lock = tree.files.find((file) => file.path === 'package-lock.json');
    if (lock === undefined) return [{ path: 'package-lock.json', line: 1, message: 'is missing' }];
    const count = runtimeClosure(lock.text, 'packages/server').size;
    const many =
      count > maxRuntimePackages
        ? [
            {
              path: lock.path,
              line: 1,
              message: `the server needs ${count} packages at run time, at most ${maxRuntimePackages}`,
            },
          ]
        : [];
    const manifests = tree.files.filter((file) => /^packages\/[a-z]+\/package\.json$/.test(file.path));
    return [...many, ...manifests.flatMap((manifest) => undecided(tree, manifest))];
  },
};
