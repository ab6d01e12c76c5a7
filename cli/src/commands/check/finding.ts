/** What a check found. `fix` says what to do, a sentence without its dot. */
export type Finding =
  | { readonly status: 'ok' | 'skipped'; readonly found: string }
  | { readonly status: 'warning' | 'failed'; readonly found: string; readonly fix: string };

export type Status = Finding['status'];

export const ok = (found: string): Finding => ({ status: 'ok', found });
/** It could not be looked at: what it depends on has failed, or nothing of its sort is there. */
export const skipped = (found: string): Finding => ({ status: 'skipped', found });
/** Works, but an operator should know. */
export const warning = (found: string, fix: string): Finding => ({ status: 'warning', found, fix });
export const failed = (found: string, fix: string): Finding => ({ status: 'failed', found, fix });

/** One thing that can be right or wrong. */
export interface Check<Context> {
  /** A heading of docs/troubleshooting.md, which says what it means and what to do. */
  readonly name: string;
  /** All that it found, in the order to be said; throws what kept it from looking. */
  run(context: Context): Promise<Finding | readonly Finding[]>;
}

export interface CheckedName {
  readonly section: string;
  readonly name: string;
}

export type Checked = CheckedName & Finding;

/** Where docs/troubleshooting.md has the heading of a check, as GitHub names anchors. */
export const anchorOf = (name: string): string => name.toLowerCase().replaceAll(' ', '-');

/** A few of many names, and how many more there are. */
export const some = (names: readonly string[], most = 5): string =>
  names.length <= most
    ? names.join(', ')
    : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

/** `1 pod`, `2 pods`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
