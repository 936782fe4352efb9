// Owns the one-time set-up page: a form, and what it made, shown once. No script, no style from elsewhere.

import type { Initialized } from '../../control/init-organization.ts';

type Made = Initialized & { readonly origin: string };

/** Text as it may stand in HTML. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 2rem 1rem; color: #1c2230; background: #fbfbf9; }
  h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
  label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
  input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem .6rem; border: 1px solid #8a92a3; border-radius: .3rem; background: #fff; }
  button { font: inherit; margin-top: 1.5rem; padding: .6rem 1.2rem; border: 0; border-radius: .3rem; background: #1f4d8f; color: #fff; cursor: pointer; }
  button:focus-visible, input:focus-visible { outline: 3px solid #e0a500; outline-offset: 2px; }
  pre { background: #f0f0ea; border: 1px solid #d9d9cf; border-radius: .3rem; padding: .8rem; overflow-x: auto; }
  code { font: 14px/1.45 ui-monospace, monospace; }
  .error { border-left: 4px solid #b3261e; padding: .5rem .8rem; background: #fdeceb; }
  .once { border-left: 4px solid #e0a500; padding: .5rem .8rem; background: #fff6dd; }
`;

function page(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Countersign</title>
<style>${style}</style>
</head>
<body><main>
${main}
</main></body>
</html>
`;
}

export type FormValues = { readonly slug: string; readonly email: string; readonly name: string };

/** The form; `error` says why the last try was refused. */
export function formPage(
  token: string,
  values: FormValues,
  publicUrl: string,
  error: string | undefined,
): string {
  const problem = error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(error)}</p>`;
  const field = (id: string, label: string, type: string, value: string, hint: string): string =>
    `<label for="${id}">${label}</label>
<input id="${id}" name="${id}" type="${type}" value="${escapeHtml(value)}" required aria-describedby="${id}-hint">
<small id="${id}-hint">${hint}</small>`;
  return page(
    'Set up',
    `<h1>Set up Countersign</h1>
<p>This makes your organization, you as its owner, the built-in <code>sandbox</code> model, and two keys. The link works once.</p>
<p><small>Its ledger will be named <code>${escapeHtml(new URL(publicUrl).host)}/org_…</code>, which stays so. If others reach this server by another host, stop it, set <code>COUNTERSIGN_PUBLIC_URL</code>, and start again first.</small></p>
${problem}
<form method="post" action="/setup">
<input type="hidden" name="token" value="${escapeHtml(token)}">
${field('slug', 'Organization', 'text', values.slug, 'a short name: a to z, 0 to 9, hyphens')}
${field('email', 'Your e-mail address', 'email', values.email, 'sealed at rest; the ledger knows you by a pseudonym')}
${field('name', 'Your name', 'text', values.name, 'what records will call you')}
<button type="submit">Make the organization</button>
</form>`,
  );
}

/** The URLs by which calls and administration reach this server: the same, unless management has its own address. */
export type ReachedAt = { readonly models: string; readonly management: string };

/** What was made, with the first request to paste. Keys are shown this once. */
export function donePage(made: Made, urls: ReachedAt): string {
  const curl = `curl -i ${urls.models}/v1/chat/completions \\
  -H "Authorization: Bearer ${made.modelsKey}" \\
  -H "Content-Type: application/json" \\
  -d '{"model":"sandbox","messages":[{"role":"user","content":"Hello"}]}'`;
  const next = `export COUNTERSIGN_URL=${urls.management}
export COUNTERSIGN_KEY=${made.managementKey}
./countersign records
./countersign who <the x-countersign-record of your answer>`;
  return page(
    'Ready',
    `<h1>Ready</h1>
<p class="once">Copy both keys now: they are stored as hashes and cannot be shown again.</p>
<h2>Models key</h2><pre><code>${escapeHtml(made.modelsKey)}</code></pre>
<h2>Management key</h2><pre><code>${escapeHtml(made.managementKey)}</code></pre>
<h2>First request</h2><pre><code>${escapeHtml(curl)}</code></pre>
<h2>Who did it?</h2><pre><code>${escapeHtml(next)}</code></pre>
<p>Organization <code>${made.organizationId}</code>, owner <code>${made.ownerId}</code>, workspace <code>${made.workspaceId}</code>.</p>
<p>Its ledger is <code>${escapeHtml(made.origin)}</code>, and stays so.</p>`,
  );
}

/** For a link that is wrong, used, or not needed any more. */
export function closedPage(): string {
  return page(
    'Closed',
    '<h1>This link does not work</h1><p>It was used already, or it is not the newest. Start the server on an empty store to get a new one.</p>',
  );
}
