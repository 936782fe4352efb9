// Owns how the models that a principal may call are listed, in both dialects' shapes.

import type { Dialect } from './endpoints.ts';

export type ListedModel = {
  /** What a client writes in `model`. */
  readonly id: string;
  readonly displayName: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** OpenAI's `owned_by`: the provider's name. */
  readonly ownedBy: string;
};

/**
 * In which dialect `GET /v1/models` is answered when the path does not say: Anthropic's SDKs always send
 * `anthropic-version`, OpenAI's never.
 */
export function modelsDialect(pathDialect: Dialect, hasAnthropicVersion: boolean): Dialect {
  return hasAnthropicVersion ? 'anthropic' : pathDialect;
}

function openaiModel(model: ListedModel): object {
  return {
    id: model.id,
    object: 'model',
    created: Math.floor(model.createdAtMs / 1000),
    owned_by: model.ownedBy,
  };
}

/** RFC 3339 in UTC, by days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days). */
function timestamp(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthIndex = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * monthIndex + 2) / 5) + 1;
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const pad = (value: number, width: number): string => String(value).padStart(width, '0');
  const time = seconds - days * 86_400;
  const clock = [Math.floor(time / 3600), Math.floor(time / 60) % 60, time % 60].map((part) => pad(part, 2));
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${clock.join(':')}Z`;
}

function anthropicModel(model: ListedModel): object {
  return {
    type: 'model',
    id: model.id,
    display_name: model.displayName,
    created_at: timestamp(model.createdAtMs),
  };
}

/** One model's body, for `GET /v1/models/{id}`. */
export function renderModel(dialect: Dialect, model: ListedModel): string {
  return JSON.stringify(dialect === 'anthropic' ? anthropicModel(model) : openaiModel(model));
}

/** The list's body. It is one page: a gateway's models are few, and clients that page stop at `has_more: false`. */
export function renderModels(dialect: Dialect, models: readonly ListedModel[]): string {
  if (dialect === 'openai') return JSON.stringify({ object: 'list', data: models.map(openaiModel) });
  return JSON.stringify({
    data: models.map(anthropicModel),
    has_more: false,
    first_id: models.at(0)?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  });
}
