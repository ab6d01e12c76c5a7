import type { KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pemOf } from '@gatehouse/platform/tls/material';

/** A leaf as a peer shows it, and what the verifier believes. */
export interface PresentedLeaf {
  /** Who shows it, in words of the table. */
  readonly title: string;
  /** The DNS name that the verifier expects. */
  readonly identity: string;
  readonly key: KeyObject;
  readonly leaf: Uint8Array;
  /** The leaf's issuer first. */
  readonly intermediates: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** The same where programs read it: PEM in files of their own. */
export interface LeafFiles {
  readonly leaf: string;
  /** May be empty. */
  readonly intermediates: string;
  readonly root: string;
  /** The leaf, then the intermediates. */
  readonly whole: string;
}

/** Writes them to `folder`, told apart by `number`. */
export const writeLeafFiles = async (
  folder: string,
  number: number,
  { leaf, intermediates, root }: PresentedLeaf,
): Promise<LeafFiles> => {
  const write = async (name: string, certificates: readonly Uint8Array[]): Promise<string> => {
    const path = join(folder, `${number}-${name}.pem`);
    await writeFile(path, certificates.map(pemOf).join(''));
    return path;
  };
  return {
    leaf: await write('leaf', [leaf]),
    intermediates: await write('intermediates', intermediates),
    root: await write('root', [root]),
    whole: await write('whole', [leaf, ...intermediates]),
  };
};
