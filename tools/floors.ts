// Owns the house as data: packages and their arrows, the server's rooms and their floors, and the drawing of both.

/** A part of the repository, and the parts whose files it may import. */
export type Part = {
  readonly name: string;
  /** Folder from the repository's root, with a slash at its end. */
  readonly folder: string;
  readonly mayImport: readonly string[];
  readonly owns: string;
  /** Narrows an arrow to files, as `part name` -> paths inside that part's folder. */
  readonly onlyFiles?: Readonly<Record<string, readonly string[]>>;
};

/**
 * The packages and the folders around them. An arrow that is not here does not exist.
 * Relative imports stay inside a part; across parts the package's name is used.
 */
export const parts: readonly Part[] = [
  {
    name: 'core',
    folder: 'packages/core/',
    mayImport: [],
    owns: 'pure functions: every promise as a function of values',
  },
  { name: 'contract', folder: 'packages/contract/', mayImport: ['core'], owns: 'the management API as data' },
  { name: 'server', folder: 'packages/server/', mayImport: ['core', 'contract'], owns: 'the one process' },
  {
    name: 'sdk',
    folder: 'packages/sdk/',
    mayImport: ['core', 'contract'],
    owns: 'typed client and offline verifier',
  },
  {
    name: 'cli',
    folder: 'packages/cli/',
    mayImport: ['core', 'contract', 'sdk', 'server'],
    onlyFiles: {
      server: [
        'src/main.ts',
        'src/compose/continue-logs.ts',
        'src/compose/init-store.ts',
        'src/compose/migrate-store.ts',
        'src/compose/settings.ts',
      ],
    },
    owns: 'the countersign command; of the server, only the entry points of its composition root',
  },
  {
    name: 'console',
    folder: 'packages/console/',
    mayImport: ['core', 'contract', 'sdk'],
    owns: 'the web application',
  },
  {
    name: 'tools',
    folder: 'tools/',
    mayImport: ['core', 'contract', 'sdk'],
    owns: 'set-up, gates, generators',
  },
  {
    name: 'bench',
    folder: 'bench/',
    mayImport: ['core', 'contract', 'server', 'sdk', 'tools'],
    owns: 'the benchmark',
  },
  {
    name: 'examples',
    folder: 'examples/',
    mayImport: ['core', 'contract', 'sdk'],
    owns: 'what a reader can run',
  },
  {
    name: 'tests',
    folder: 'tests/',
    mayImport: ['core', 'contract', 'server', 'sdk', 'cli', 'console', 'tools', 'bench'],
    owns: 'integration, conformance, fault, house, browser',
  },
];

/** A room of the server. `each` makes every folder inside it a room of its own, with no loose files between. */
export type Room = {
  readonly name: string;
  readonly floor: number;
  /** Paths under packages/server/src: a file, or a folder with a slash at its end. */
  readonly at: readonly string[];
  readonly each?: true;
  readonly owns: string;
};

/** A file imports its own room or a lower floor: never sideways, never up. The longest matching path decides. */
export const rooms: readonly Room[] = [
  {
    name: 'main',
    floor: 7,
    at: ['main.ts', 'writer.ts', 'reader.ts', 'compose/'],
    owns: 'the composition roots: the server, and its threads of writing and reading',
  },
  { name: 'protocols', floor: 6, at: ['protocols/'], each: true, owns: 'inbound faces, each a room' },
  { name: 'protocols/http', floor: 5.5, at: ['protocols/http/'], owns: 'what the faces share of HTTP' },
  { name: 'gateway', floor: 5, at: ['gateway/'], owns: 'data plane: lists of steps' },
  { name: 'sts', floor: 5, at: ['sts/'], owns: 'token service, one file per grant type' },
  { name: 'signin', floor: 5, at: ['signin/'], owns: 'password, second factors, single sign-on' },
  { name: 'control', floor: 5, at: ['control/'], owns: 'administration, one file per command' },
  { name: 'jobs', floor: 5, at: ['jobs/'], owns: 'recurring work' },
  {
    name: 'services',
    floor: 4,
    at: ['services/'],
    each: true,
    owns: 'one noun per folder, handed to each other as ports',
  },
  { name: 'stores', floor: 3, at: ['stores/'], owns: 'the only SQL' },
  { name: 'upstreams', floor: 3, at: ['upstreams/'], owns: 'whom we call, through platform/egress' },
  {
    name: 'platform',
    floor: 2,
    at: ['platform/'],
    owns: 'database, configuration, log, metrics, egress: one room',
  },
];

/** Folder that the paths of `rooms` start from. */
export const serverSource = 'packages/server/src/';

/** Where a server file lives: the room's own name, its floor, or what is wrong with the place. */
export type Place =
  | { readonly kind: 'room'; readonly name: string; readonly floor: number }
  | { readonly kind: 'homeless'; readonly why: string };

/** Finds the room of a path under packages/server/src, such as `services/ledger/thread.ts`. */
export function placeOf(path: string): Place {
  let best: { room: Room; at: string } | undefined;
  for (const room of rooms) {
    for (const at of room.at) {
      const holds = at.endsWith('/') ? path.startsWith(at) : path === at;
      if (holds && (best === undefined || at.length > best.at.length)) best = { room, at };
    }
  }
  if (best === undefined)
    return { kind: 'homeless', why: 'belongs to no room; move it or name its room in tools/floors.ts' };
  if (best.room.each !== true) return { kind: 'room', name: best.room.name, floor: best.room.floor };
  const [folder, ...inside] = path.slice(best.at.length).split('/');
  if (folder === undefined || inside.length === 0) {
    return { kind: 'homeless', why: `lies loose in ${best.at}; give it a folder there` };
  }
  return { kind: 'room', name: `${best.at}${folder}`, floor: best.room.floor };
}

/**
 * Tests beside the source, and what they share (`.support.ts`): no floor binds them, because a test may compose
 * what it likes. In return the product imports none of them.
 */
export function isTestFile(path: string): boolean {
  return /\.(test|bench|support)\.(ts|tsx|mjs)$/.test(path) || path.startsWith('tests/');
}

/** The comments between which ARCHITECTURE.md keeps the drawing. */
export const drawingMarkers = { begin: '<!-- floors: begin -->', end: '<!-- floors: end -->' } as const;

/** Draws packages and floors as a text block for ARCHITECTURE.md; the same data gives the same text. */
export function drawHouse(): string {
  const width = Math.max(...parts.map((part) => part.name.length));
  const arrows = parts.map((part) => {
    const targets = part.mayImport.map((target) => {
      const only = part.onlyFiles?.[target];
      return only === undefined ? target : `${target} (${only.join(', ')} only)`;
    });
    const may = targets.length === 0 ? 'nothing' : targets.join(', ');
    return `${part.name.padEnd(width)}  ${part.owns}\n${' '.repeat(width)}  may import: ${may}`;
  });
  const floorWidth = Math.max(...rooms.flatMap((room) => room.at.map((at) => at.length)));
  const floors = [...new Set(rooms.map((room) => room.floor))].sort((a, b) => b - a);
  const storeys = floors.flatMap((floor) =>
    rooms
      .filter((room) => room.floor === floor)
      .flatMap((room) =>
        room.at.map(
          (at, i) =>
            `${String(floor).padEnd(4)}${at.padEnd(floorWidth)}  ${i === 0 ? room.owns : 'the same room'}`,
        ),
      ),
  );
  return [
    '```text',
    ...arrows,
    '',
    `${serverSource} (a file imports its own room or a lower floor: never sideways, never up)`,
    ...storeys,
    '1   core, contract',
    '```',
  ].join('\n');
}

/** Replaces what lies between the markers; undefined when the text has not both of them, in order. */
export function withDrawing(text: string): string | undefined {
  const begin = text.indexOf(drawingMarkers.begin);
  const end = text.indexOf(drawingMarkers.end);
  if (begin === -1 || end < begin) return undefined;
  return `${text.slice(0, begin + drawingMarkers.begin.length)}\n${drawHouse()}\n${text.slice(end)}`;
}
