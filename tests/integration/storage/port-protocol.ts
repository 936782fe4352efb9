// Owns the calls and notices that the tests of the thread port use, declared once for both ends.

export type TestCalls = {
  readonly double: { readonly request: number; readonly reply: number };
  readonly size: { readonly request: Uint8Array; readonly reply: number };
  readonly echo: { readonly request: unknown; readonly reply: unknown };
  readonly refuse: { readonly request: null; readonly reply: never };
  readonly fail: { readonly request: null; readonly reply: never };
  readonly wait: { readonly request: number; readonly reply: string };
  readonly giveFunction: { readonly request: null; readonly reply: unknown };
  readonly die: { readonly request: 'exit' | 'throw'; readonly reply: never };
  readonly heard: { readonly request: null; readonly reply: readonly string[] };
};

/** From the asking end to the thread. */
export type TestSaid = { readonly greet: string };

/** From the thread to the asking end. */
export type TestHeard = { readonly event: { readonly number: number } };
