// Owns which class of OCSF an entry is an event of, and the attributes of that class.

import { assertNever } from '../../errors.ts';
import type { Entry } from '../entry.ts';
import { failureOf, millisecondsOf, tokensOf, usageOf } from './copied-entry.ts';
import { isAccount, userOf } from './ocsf-user.ts';

type Of<T extends Entry['type']> = Extract<Entry, { readonly type: T }>;

export type Classified = {
  /** `class_uid`; its thousands are the category. */
  readonly uid: number;
  readonly name: string;
  /** `activity_id`, and its word; with 99 a word of ours. */
  readonly activity: number;
  readonly activityName: string;
  readonly profiles?: readonly string[];
  /** True for a class that has no `actor`. */
  readonly withoutActor?: true;
  /** The attributes that this class has beside those of every event. */
  readonly more: object;
};

const other = 99;
const product = 'Countersign';

export function classify(entry: Entry): Classified {
  switch (entry.type) {
    case 'model_call':
    case 'tool_call':
      return call(entry);
    case 'management':
      return managed(entry);
    case 'content_read':
      return contentRead(entry);
    case 'erasure':
      return erasure(entry);
    case 'alert':
      return alert(entry);
    case 'refused_credentials':
      return refusedCredentials(entry);
    case 'checkpoint':
      // No class is about a head of another log that was seen: the base event is for what no class is about.
      return {
        uid: 0,
        name: 'Base Event',
        activity: other,
        activityName: 'checkpoint',
        withoutActor: true,
        more: {},
      };
    case 'log_opened':
      return managedEntity(1, { uid: entry.opened.origin, type: 'log' });
    default:
      return assertNever(entry);
  }
}

/**
 * Where a request came from. An entry has no address: at most the id beside which address and user agent lie sealed,
 * which is one id for one client of one person. The class requires the attribute, so without that it says so.
 */
function source(client: string | undefined): object {
  return client === undefined ? { name: 'Unknown' } : { uid: client };
}

function call(entry: Of<'model_call' | 'tool_call'>): Classified {
  const { target, req, phase } = entry;
  const failure = failureOf(entry);
  const model = aiModel(entry);
  const decision = phase === 'intent' ? dispositionOf(entry) : {};
  const kind = entry.type === 'tool_call' ? 'tool' : 'model';
  const resource = { uid: target.resource, name: target.tool ?? target.model };
  const provider = target.provider === undefined ? undefined : { name: target.provider };
  return {
    uid: 6003,
    name: 'API Activity',
    activity: other,
    activityName: `${entry.type} ${phase}`,
    profiles: [
      ...(model === undefined ? [] : ['ai_operation']),
      ...(phase === 'intent' ? ['security_control'] : []),
    ],
    more: {
      api: {
        operation: target.endpoint ?? target.tool ?? entry.type,
        service: provider,
        request: { uid: req },
        response: failure === undefined ? undefined : { code: failure.http, error: failure.code },
      },
      src_endpoint: source(entry.content?.client),
      dst_endpoint: target.provider === undefined ? undefined : { svc_name: target.provider },
      resources:
        resource.uid === undefined && resource.name === undefined ? undefined : [{ ...resource, type: kind }],
      duration: phase === 'outcome' ? entry.ms?.total : undefined,
      ...model,
      ...decision,
    },
  };
}

/** The profile `security_control`: what the gateway did with the call. */
function dispositionOf(entry: Extract<Of<'model_call' | 'tool_call'>, { readonly phase: 'intent' }>): object {
  const isAllowed = entry.status === undefined && entry.policy.decision === 'allow';
  return isAllowed
    ? { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' }
    : { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' };
}

/** The profile `ai_operation`, where the model and its provider are known. */
function aiModel(entry: Of<'model_call' | 'tool_call'>): object | undefined {
  const { provider, model, served } = entry.target;
  const name = served ?? model;
  if (entry.type !== 'model_call' || provider === undefined || name === undefined) return undefined;
  const usage = usageOf(entry);
  const tokens = usage === undefined ? undefined : tokensOf(usage);
  return {
    ai_model: { name, ai_provider: provider },
    message_context: {
      service: { name: provider },
      uid: entry.run?.id,
      ...(tokens && {
        prompt_tokens: Number(tokens.input),
        completion_tokens: Number(tokens.output),
        total_tokens: Number(tokens.input + tokens.output),
      }),
    },
  };
}

/** What an operation's last word does to what its first word names. */
const verbs = new Map<string, readonly [activity: number, name: string]>([
  ['create', [1, 'Create']],
  ['init', [1, 'Create']],
  ['recover', [1, 'Create']],
  ['get', [2, 'Read']],
  ['list', [2, 'Read']],
  ['update', [3, 'Update']],
  ['rotate', [3, 'Update']],
  ['publish', [3, 'Update']],
  ['remove', [4, 'Delete']],
  ['revoke', [11, 'Deactivate']],
]);

function managed(entry: Of<'management'>): Classified {
  const { op } = entry;
  const dot = op.lastIndexOf('.');
  const noun = dot < 0 ? op : op.slice(0, dot);
  const verb = op.slice(dot + 1);
  const changed = entry.change?.find(
    ({ kind }) => kind.toLowerCase() === noun.replaceAll('_', '').toLowerCase(),
  );
  const uid = changed?.id ?? entry.target?.resource;
  if (isAccount(noun) && uid !== undefined) {
    // What an update did to an account is in its state, and the first of two requests for an erasure erases nothing.
    const activity = verb === 'create' ? ([1, 'Create'] as const) : ([other, op] as const);
    return accountChange(activity, userOf(uid, noun));
  }
  const [activity, activityName] = verbs.get(verb) ?? [other, op];
  const entity = uid === undefined ? { name: op, type: noun } : { uid, type: noun };
  return managedEntity(activity, entity, activityName, entry.reason);
}

function managedEntity(
  activity: number,
  entity: { readonly type: string; readonly uid?: string; readonly name?: string },
  activityName = 'Create',
  comment?: string,
): Classified {
  const typed = entity.type === 'policy' && entity.uid !== undefined ? { policy: { uid: entity.uid } } : {};
  return {
    uid: 3004,
    name: 'Entity Management',
    activity,
    activityName,
    more: { entity: { ...entity, ...typed }, comment },
  };
}

function accountChange([activity, activityName]: readonly [number, string], user: object): Classified {
  return { uid: 3001, name: 'Account Change', activity, activityName, more: { user } };
}

/** A person's key is destroyed, and the account with it. */
function erasure(entry: Of<'erasure'>): Classified {
  return accountChange([6, 'Delete'], userOf(entry.subject, 'user'));
}

/** Sealed content is a store of records beside the log, and the log's origin names it. */
function contentRead(entry: Of<'content_read'>): Classified {
  return {
    uid: 6005,
    name: 'Datastore Activity',
    activity: 1,
    activityName: 'Read',
    more: {
      src_endpoint: source(undefined),
      database: { name: 'sealed content', uid: entry.log, type: 'sealed content', type_id: other },
      type_id: 1,
      type: 'Database',
    },
  };
}

/** What an alert is about. */
function alerted(alert: Of<'alert'>['alert']): object {
  switch (alert.kind) {
    case 'budget_warning':
    case 'budget_exhausted':
      return { uid: alert.budget, type: 'budget' };
    case 'unknown_price':
      return { name: alert.model, type: 'model' };
    case 'log_altered':
      return { uid: alert.origin, type: 'log' };
    default:
      return assertNever(alert);
  }
}

function alert(entry: Of<'alert'>): Classified {
  const { kind } = entry.alert;
  const desc = entry.alert.kind === 'log_altered' ? entry.alert.finding : undefined;
  return {
    uid: 2004,
    name: 'Detection Finding',
    activity: 1,
    activityName: 'Create',
    profiles: ['security_control'],
    withoutActor: true,
    more: {
      finding_info: {
        uid: entry.id,
        title: kind,
        desc,
        types: [kind],
        created_time: millisecondsOf(entry.ts),
      },
      is_alert: true,
      resources: [alerted(entry.alert)],
    },
  };
}

/** Nobody was found behind these credentials: the user is the one that the entry names, `anonymous`. */
function refusedCredentials(entry: Of<'refused_credentials'>): Classified {
  const { from, to, total } = entry.refused;
  return {
    uid: 3002,
    name: 'Authentication',
    activity: 1,
    activityName: 'Logon',
    more: {
      user: userOf(entry.actor.id, entry.actor.kind),
      service: { name: product },
      count: total,
      start_time: millisecondsOf(from),
      end_time: millisecondsOf(to),
    },
  };
}
