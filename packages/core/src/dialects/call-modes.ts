// Owns what a body or an answer says of the mode in which a call runs: its service tier, its speed, its region.

import type { Dialect } from './endpoints.ts';

/** Words that change what a token costs; `undefined` where nothing is said. What is no word is `?`. */
export type CallModes = {
  readonly serviceTier: string | undefined;
  /** Anthropic's `speed`. */
  readonly speed: string | undefined;
  /** Anthropic's `inference_geo`. */
  readonly inferenceGeo: string | undefined;
};

/** Nothing is said: the provider's usual mode. */
export const noModes: CallModes = { serviceTier: undefined, speed: undefined, inferenceGeo: undefined };

function word(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' && value.length <= 64 ? value.toLowerCase() : '?';
}

/** The modes that an object names at its top. Only Anthropic's dialect has a speed and a region. */
export function readModes(dialect: Dialect, object: { readonly [key: string]: unknown }): CallModes {
  const { service_tier, speed, inference_geo } = object;
  if (dialect === 'openai')
    return service_tier === undefined ? noModes : { ...noModes, serviceTier: word(service_tier) };
  if (service_tier === undefined && speed === undefined && inference_geo === undefined) return noModes;
  return { serviceTier: word(service_tier), speed: word(speed), inferenceGeo: word(inference_geo) };
}
