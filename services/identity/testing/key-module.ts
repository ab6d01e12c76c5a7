import { webcrypto } from 'node:crypto';
import type { ProvidedKey } from '../src/ports/issuer/signing-key.ts';

export interface KeyModule {
  readonly key: ProvidedKey;
  /** How often it has signed. */
  readonly signatures: number;
  /** What it answers from now on in place of signatures. */
  answer(instead: () => Promise<ArrayBuffer>): void;
}

/** Holds a key as a PKCS#11 module does: others have a handle, which only its own provider takes, and which tells nothing. */
export const aKeyModule = (held: webcrypto.CryptoKey): KeyModule => {
  let signatures = 0;
  let instead: (() => Promise<ArrayBuffer>) | undefined;
  const { algorithm } = held;
  const handle = { type: 'private', extractable: false, usages: ['sign'], algorithm } as unknown as CryptoKey;
  const subtle = {
    sign: async (...[parameters, key, data]: Parameters<SubtleCrypto['sign']>): Promise<ArrayBuffer> => {
      if (key !== handle) throw new TypeError('the key is not of this module');
      signatures += 1;
      return instead === undefined ? webcrypto.subtle.sign(parameters as EcdsaParams, held, data) : instead();
    },
  };
  return {
    key: { crypto: { subtle } as unknown as Crypto, privateKey: handle },
    get signatures() {
      return signatures;
    },
    answer: (next) => {
      instead = next;
    },
  };
};

type EcdsaParams = webcrypto.EcdsaParams;
