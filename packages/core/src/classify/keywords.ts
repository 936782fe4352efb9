// Owns the words that wake a detector, and the table that finds a word by its first two characters.

import { flagsOf, lower } from './characters.ts';

/** What a word does when it is met. */
export type Role =
  | 'phone'
  | 'ssn'
  | 'birth'
  | 'month'
  | 'secret'
  | 'assigned'
  | 'bearer'
  | 'pem'
  | 'acronym'
  | 'marking'
  | 'plain_marking'
  | 'legend';

export type Keyword = {
  /** In lower case when `fold`. */
  readonly text: string;
  readonly role: Role;
  readonly fold: boolean;
  /** The word must end where the keyword ends. */
  readonly whole: boolean;
  /** Of a secret: fewest and most characters after the prefix. */
  readonly least: number;
  readonly most: number;
};

const words = {
  phone:
    'telephone telefon teléfono phone mobile mobil handy handynummer cellphone fax whatsapp portable cellulare tel',
  ssn: 'ssn social-security social_security socialsecurity',
  month:
    'january february march april may june july august september october november december ' +
    'jan feb mar apr jun jul aug sep sept oct nov dec januar februar mai juni juli oktober dezember okt dez ' +
    'janvier mars avril juin juillet septembre octobre novembre enero febrero marzo abril mayo junio julio agosto ' +
    'septiembre octubre noviembre diciembre',
  acronym: 'CUI ITAR EAR99 NOFORN ORCON FOUO',
  plain_marking: 'SECRET RESTRICTED GEHEIM',
} as const;

const phrases = {
  ssn: ['social security', 'soc sec'],
  phone: ['cell', 'call me at', 'call me on', 'text me at', 'reach me at', 'reach me on'],
  birth: ['born', 'dob', 'd.o.b', 'birth', 'dateofbirth', 'geboren', 'geb.', 'geburtsdatum', 'geburtstag'],
  birthOther: ['naissance', 'nacimiento', 'nacido', 'nacida', 'nascita', 'nascimento', 'geboortedatum', 'urodzenia'],
  assigned: ['api_key', 'apikey', 'api-key', 'x-api-key', 'client_secret', 'clientsecret', 'client-secret'],
  assignedOther: ['secret_key', 'secretkey', 'secret-key', 'secret_access_key', 'secretaccesskey', 'access_token'],
  assignedLast: ['accesstoken', 'auth_token', 'authtoken', 'refresh_token', 'accountkey', 'sharedaccesskey'],
  marking: [
    'CONFIDENTIAL', 'TOP SECRET', 'TOPSECRET', 'COMPANY CONFIDENTIAL', 'STRICTLY CONFIDENTIAL', 'HIGHLY CONFIDENTIAL',
    'TRADE SECRET', 'OFFICIAL-SENSITIVE', 'OFFICIAL SENSITIVE', 'VERTRAULICH', 'STRENG VERTRAULICH',
    'STRENG GEHEIM', 'NATO SECRET', 'NATO CONFIDENTIAL', 'NATO RESTRICTED',
  ],
  legend: [
    'EXPORT CONTROLLED', 'EXPORT-CONTROLLED', 'ITAR CONTROLLED', 'ITAR-CONTROLLED', 'ITAR RESTRICTED',
    'FOR OFFICIAL USE ONLY', 'CONTROLLED UNCLASSIFIED INFORMATION', 'CONTROLLED TECHNICAL INFORMATION',
    'DISTRIBUTION STATEMENT B', 'DISTRIBUTION STATEMENT C', 'DISTRIBUTION STATEMENT D',
    'DISTRIBUTION STATEMENT E', 'DISTRIBUTION STATEMENT F', 'VS-NUR F', 'VS-NfD',
  ],
  foldedLegend: [
    'contains export controlled', 'contains export-controlled', 'contains itar', 'contains cui',
    'subject to the international traffic in arms regulations', 'subject to the export administration regulations',
    'restricted by the arms export control act',
  ],
} as const; // biome-ignore format: one line holds related phrases

/** Prefix, fewest and most characters of the body; the body is base64url, checked in detect-secret.ts. */
const secretShapes: readonly (readonly [string, number, number])[] = [
  ['AKIA', 16, 16], ['ASIA', 16, 16],
  ['sk-', 20, 300], ['sk_live_', 16, 247], ['rk_live_', 16, 247], ['sk_test_', 16, 247],
  ['ghp_', 36, 255], ['gho_', 36, 255], ['ghu_', 36, 255], ['ghs_', 36, 255], ['ghr_', 36, 255],
  ['github_pat_', 40, 255], ['glpat-', 20, 64],
  ['xoxb-', 20, 255], ['xoxp-', 20, 255], ['xoxa-', 20, 255], ['xoxr-', 20, 255], ['xoxs-', 20, 255], ['xapp-', 20, 255],
  ['AIza', 35, 35], ['GOCSPX-', 24, 64], ['npm_', 36, 36], ['pypi-', 50, 300], ['hf_', 30, 64],
  ['csk_', 32, 255], ['whsec_', 24, 128], ['dop_v1_', 64, 64], ['eyJ', 10, 1_000_000],
]; // biome-ignore format: one line holds one vendor

function keyword(text: string, role: Role, fold: boolean, whole: boolean, least = 0, most = 0): Keyword {
  return { text, role, fold, whole, least, most };
}

/** These end a word only when they end the whole word: `tel` is not in `tell`. */
const wholeWords: ReadonlySet<string> = new Set(['tel', 'fax', 'cell', 'handy', 'born', 'dob', 'ssn']);

function allKeywords(): readonly Keyword[] {
  const birth = [...phrases.birth, ...phrases.birthOther];
  const phone = [...words.phone.split(' '), ...phrases.phone];
  const ssn = [...words.ssn.split(' '), ...phrases.ssn];
  const assigned = [...phrases.assigned, ...phrases.assignedOther, ...phrases.assignedLast];
  const context = (texts: readonly string[], role: Role) =>
    texts.map((text) => keyword(text, role, true, wholeWords.has(text)));
  return [
    ...context(birth, 'birth'),
    ...context(phone, 'phone'),
    ...context(ssn, 'ssn'),
    ...words.month.split(' ').map((text) => keyword(text, 'month', true, true)),
    ...assigned.map((text) => keyword(text, 'assigned', true, true)),
    keyword('bearer ', 'bearer', true, false),
    keyword('BEGIN ', 'pem', false, false),
    ...secretShapes.map(([text, least, most]) => keyword(text, 'secret', false, false, least, most)),
    ...words.acronym.split(' ').map((text) => keyword(text, 'acronym', false, true)),
    ...words.plain_marking.split(' ').map((text) => keyword(text, 'plain_marking', false, true)),
    ...phrases.marking.map((text) => keyword(text, 'marking', false, true)),
    ...phrases.legend.map((text) => keyword(text, 'legend', false, text !== 'VS-NUR F')),
    ...phrases.foldedLegend.map((text) => keyword(text, 'legend', true, true)),
  ];
}

/** The slot of a word's first two characters: case of the first counts, case of the second does not. */
export function slotOf(c0: number, c1: number): number {
  return ((c0 & 63) << 5) | (c1 & 31);
}

/** The longest keyword of a bucket comes first. */
export type KeywordTable = {
  /** Index by slot into `buckets`; 0 means that no keyword begins so. */
  readonly slots: Uint8Array;
  /** By slot: a bit for each third character, without its upper three bits, that a keyword goes on with. */
  readonly thirds: Uint32Array;
  readonly buckets: readonly (readonly Keyword[])[];
};

function makeTable(): KeywordTable {
  const slots = new Uint8Array(2048);
  const thirds = new Uint32Array(2048);
  const buckets: Keyword[][] = [[]];
  const put = (slot: number, entry: Keyword): void => {
    if (slots[slot] === 0) {
      slots[slot] = buckets.length;
      buckets.push([]);
    }
    buckets[slots[slot] ?? 0]?.push(entry);
    thirds[slot] = (thirds[slot] ?? 0) | (1 << (entry.text.charCodeAt(2) & 31));
  };
  for (const entry of allKeywords()) {
    const c0 = entry.text.charCodeAt(0);
    const c1 = entry.text.charCodeAt(1);
    put(slotOf(c0, c1), entry);
    if (entry.fold && (flagsOf(c0) & lower) !== 0) put(slotOf(c0 - 32, c1), entry);
  }
  for (const bucket of buckets) bucket.sort((a, b) => b.text.length - a.text.length);
  return { slots, thirds, buckets };
}

export const keywordTable: KeywordTable = makeTable();
