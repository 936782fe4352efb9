// Owns what service tiers and dearer modes multiply a call's price by, as vendors publish it.

import type { CallModes } from '../dialects/call-modes.ts';
import type { Dialect } from '../dialects/endpoints.ts';
import { isMatch } from './price-table.ts';

/**
 * Names this table in records, after the price that it multiplies. Sources, as read on 2026-11-28: OpenAI's page of
 * fast mode, which was priority processing until 2026-07-30, and its price list (flex); Anthropic's pages of fast mode
 * and of data residency, and its announcement of Opus 4.8.
 */
export const modesVersion = 'modes-2026-11-28';

/** Parts of a thousand. */
const standard = 1_000;
/** A tier, speed or region whose price is not known: above each that is published for its kind. */
const unknownTier = 3_000;
const unknownSpeed = 6_000;
const unknownGeo = 1_500;

type Row = readonly [pattern: string, perMille: number];

/** OpenAI's prices of priority, or fast mode, by its standard ones, rounded up; the first pattern that fits counts. */
const priority: readonly Row[] = [
  ['gpt-5.6*', 2_000],
  ['gpt-5.5', 2_500],
  ['gpt-5.5-####-##-##', 2_500],
  ['gpt-5.4', 2_000],
  ['gpt-5.4-####-##-##', 2_000],
  ['gpt-5.4-mini*', 2_000],
  ['gpt-5.2', 2_000],
  ['gpt-5.2-####-##-##', 2_000],
  ['gpt-5.1', 2_000],
  ['gpt-5.1-####-##-##', 2_000],
  ['gpt-5.1-codex', 2_000],
  ['gpt-5', 2_000],
  ['gpt-5-####-##-##', 2_000],
  ['gpt-5-codex', 2_000],
  ['gpt-5-mini*', 1_800],
  ['gpt-4.1-nano*', 2_000],
  ['gpt-4.1*', 1_750],
  ['gpt-4o-mini', 1_667],
  ['gpt-4o-mini-####-##-##', 1_667],
  ['gpt-4o-2024-05-13', 1_750],
  ['gpt-4o', 1_700],
  ['gpt-4o-####-##-##', 1_700],
  ['o3', 1_750],
  ['o3-####-##-##', 1_750],
  ['o4-mini*', 1_819],
];

/** OpenAI's flex prices are those of its batches: half. Of other models nothing is published, and they cost as usual. */
const flex: readonly Row[] = [
  ...['gpt-5.5', 'gpt-5.4', 'gpt-5.4-mini', 'gpt-5.4-nano', 'gpt-5.2', 'gpt-5.1'],
  ...['gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'o3', 'o4-mini'],
].flatMap((name): readonly Row[] => [
  [name, 500],
  [`${name}-####-##-##`, 500],
]);

/** Anthropic's prices of fast mode by its standard ones, in each tier by input; 6 for the others that have it. */
const fast: readonly Row[] = [
  ['claude-opus-4-8*', 2_000],
  ['claude-opus-4.8*', 2_000],
];

function find(rows: readonly Row[], model: string, otherwise: number): number {
  const name = model.toLowerCase();
  return rows.find(([pattern]) => isMatch(pattern, name))?.[1] ?? otherwise;
}

/** Tiers at the usual price, or below it by an agreement that nobody tells us (`scale`, `batch`, Anthropic's `priority`). */
const usual: { readonly [D in Dialect]: ReadonlySet<string> } = {
  openai: new Set(['auto', 'default', 'standard', 'on_demand', 'scale', 'batch']),
  anthropic: new Set(['auto', 'standard', 'standard_only', 'priority', 'batch']),
};

/** What an organization states of its own tiers, beside a price: parts of a thousand by the tier's name. */
type OwnTiers = { readonly [tier: string]: number } | undefined;

export type Multiplied = {
  readonly dialect: Dialect;
  /** The model's name at its provider. */
  readonly model: string;
  readonly own: OwnTiers;
};

function ofTier({ dialect, model, own }: Multiplied, name: string | undefined): number {
  if (name === undefined) return standard;
  // OpenAI takes both words for the same tier.
  const tier = dialect === 'openai' && name === 'fast' ? 'priority' : name;
  const stated = own === undefined || !Object.hasOwn(own, tier) ? undefined : own[tier];
  if (stated !== undefined) return stated;
  if (usual[dialect].has(tier)) return standard;
  if (dialect === 'openai' && tier === 'flex') return find(flex, model, standard);
  return dialect === 'openai' && tier === 'priority' ? find(priority, model, unknownTier) : unknownTier;
}

function ofSpeed({ model }: Multiplied, speed: string | undefined): number {
  if (speed === undefined || speed === 'standard') return standard;
  return speed === 'fast' ? find(fast, model, unknownSpeed) : unknownSpeed;
}

function ofGeo(geo: string | undefined): number {
  if (geo === undefined || geo === 'global' || geo === 'not_available') return standard;
  return geo === 'us' ? 1_100 : unknownGeo;
}

function together(tier: number, speed: number, geo: number): number {
  if (speed === standard && geo === standard) return tier;
  return Math.ceil((tier * speed * geo) / (standard * standard));
}

/**
 * The most that a request's price can be multiplied by, in parts of a thousand: a cheaper tier that it asks for may be
 * refused to it, and is no promise.
 */
export function reservedFactor(of: Multiplied, asked: CallModes): number {
  const { serviceTier, speed, inferenceGeo } = asked;
  if (serviceTier === undefined && speed === undefined && inferenceGeo === undefined) return standard;
  return together(Math.max(standard, ofTier(of, serviceTier)), ofSpeed(of, speed), ofGeo(inferenceGeo));
}

/**
 * What a call's price is multiplied by, in parts of a thousand: by what its answer says of each mode, else by what was
 * asked, of which a cheaper tier counts for nothing until the answer grants it.
 */
export function chargedFactor(of: Multiplied, asked: CallModes, said: CallModes): number {
  const isTold = said.serviceTier !== undefined && said.serviceTier !== 'auto';
  const tier = isTold ? ofTier(of, said.serviceTier) : Math.max(standard, ofTier(of, asked.serviceTier));
  return together(
    tier,
    ofSpeed(of, said.speed ?? asked.speed),
    ofGeo(said.inferenceGeo ?? asked.inferenceGeo),
  );
}

/** Money times parts of a thousand, rounded up. */
export function multiplied(nanos: number, perMille: number): number {
  if (perMille === standard) return nanos;
  const product = nanos * perMille;
  if (Number.isSafeInteger(product)) return Math.ceil(product / standard);
  const exact = (BigInt(nanos) * BigInt(perMille) + 999n) / 1_000n;
  return exact > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(exact);
}

/** The version of a price that was multiplied: `table*2000;modes-…`. */
export function multipliedVersion(version: string, perMille: number): string {
  return perMille === standard ? version : `${version}*${perMille};${modesVersion}`;
}
