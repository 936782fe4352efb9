// Owns which request headers are neither believed nor passed on, and reading headers without merging repeats.

/** A request's headers as they came: name, value, name, value (`IncomingMessage.rawHeaders`). */
export type RawHeaders = readonly string[];

/** All values of a header, in order. `name` is in lower case. Nothing is merged, split or dropped, as Node's `headers` do. */
export function headerValues(headers: RawHeaders, name: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i] ?? '';
    if (candidate.length === name.length && candidate.toLowerCase() === name)
      values.push(headers[i + 1] ?? '');
  }
  return values;
}

const names = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((name) => name !== ''));

/**
 * Headers with which proxies tell who a person is or where a request came from. Anybody can send them, so none
 * is believed; what a listed proxy says is read by `clientAddress` and the mesh credential alone.
 */
const claimsOfProxies = names(`
  forwarded via x-real-ip x-client-ip x-cluster-client-ip true-client-ip x-original-forwarded-for
  x-original-url x-rewrite-url x-original-host x-original-uri x-original-method x-host
  x-user x-username x-user-id x-userid x-user-email x-user-name x-user-groups x-user-roles x-email x-groups x-roles
  x-remote-user x-remote-group x-remote-groups x-remote-email x-remote-name remote-user remote-groups remote-email
  remote-name x-authenticated-user x-authenticated-userid x-authenticated-groups x-credential-identifier
  x-consumer-id x-consumer-username x-consumer-custom-id x-anonymous-consumer
  x-ssl-client-cert x-ssl-client-verify x-ssl-client-dn x-client-cert x-client-verify x-client-dn ssl-client-cert
  client-cert client-cert-chain x-jwt-assertion x-jwt-payload x-userinfo x-id-token x-access-token x-end-user
  x-tenant-id x-org-id x-organization-id
`);

const claimPrefixes = [
  'x-forwarded-',
  'x-auth-request-',
  'x-authentik-',
  'x-authelia-',
  'x-ms-client-principal',
  'x-ms-token-',
  'x-goog-authenticated-user-',
  'x-goog-iap-',
  'x-amzn-oidc-',
  'x-pomerium-',
  'x-vouch-',
  'x-webauth-',
  'x-envoy-',
  'x-arr-',
  'cf-',
  'tailscale-',
] as const;

/** Credentials and what belongs to one connection (RFC 9110 section 7.6.1), and what our own framing sets. */
const ownedByConnection = names(`
  authorization proxy-authorization proxy-authenticate authentication x-api-key api-key x-goog-api-key
  cookie cookie2 dpop
  connection proxy-connection keep-alive te trailer trailers transfer-encoding upgrade http2-settings
  host content-length expect accept-encoding max-forwards x-http-method x-http-method-override x-method-override
  x-request-id
`);

/** True when nothing may be concluded from a header of this name (any case): it is a claim that anybody can make. */
export function isNeverHonoured(name: string): boolean {
  const lower = name.toLowerCase();
  return claimsOfProxies.has(lower) || claimPrefixes.some((prefix) => lower.startsWith(prefix));
}

/** True when a header of this name (any case) never reaches an upstream. */
export function isNeverForwarded(name: string): boolean {
  const lower = name.toLowerCase();
  // CGI and WSGI programs read `_` and `-` alike: a name with `_` could become one of those below.
  if (lower.startsWith('x-countersign-') || lower.includes('_')) return true;
  return ownedByConnection.has(lower) || isNeverHonoured(lower);
}

/**
 * The headers that may go on to an upstream, in order, repeats kept: without those that are never forwarded
 * and those that `Connection` names as its own (RFC 9110 section 7.6.1).
 */
export function forwardableHeaders(headers: RawHeaders): readonly string[] {
  const ofConnection = new Set(
    headerValues(headers, 'connection').flatMap((value) =>
      value.split(',').map((name) => name.trim().toLowerCase()),
    ),
  );
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (isNeverForwarded(name) || ofConnection.has(name.toLowerCase())) continue;
    kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}
