// Owns the shape of a person's profile.

/** A person's name and address: sealed under the person's own key, in no entry. */
export type Profile = { readonly email?: string; readonly name?: string };
