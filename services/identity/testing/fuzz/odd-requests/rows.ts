import type { KeyObject } from 'node:crypto';
import { derText } from '@gatehouse/core/der/der';
import type { RequestParts } from '../request-parts.ts';

/** What Certify must answer to a request with a good token. */
export type ExpectedAnswer = 'certified' | 'invalid-argument' | 'failed-precondition';

/** The workload that asks, and another one of the mesh whose name and key it would like to have. */
export interface Asker {
  readonly identity: string;
  readonly key: KeyObject;
  readonly other: { readonly identity: string; readonly key: KeyObject };
}

/** The odd parts of requests by what is odd, with the answer; all other parts are good. */
export type Rows = Readonly<
  Record<string, readonly [ExpectedAnswer, (asker: Asker) => Partial<RequestParts>]>
>;

export const extension = (...extensions: readonly Uint8Array[]): Partial<RequestParts> => ({ extensions });

export const text = (tag: number, value: string): Uint8Array => derText(tag, value);
